// Prints the texts of the golden files, one JSON string a line, for reference.py.

import { hurtfulTexts } from './hurt.js'

for (const text of hurtfulTexts(260, 20240718)) console.log(JSON.stringify(text))
