/**
 * Phrase lists that patterns name as $list: small change, without meaning for the state of the world. Of those whose names end
 * in `tail` a story says each once, where the pattern can do without.
 */

export const phrases: Readonly<Record<string, string>> = {
  once: 'Once upon a time|Once|Long ago|Once upon a time|Many years ago|In a land far away|Not so long ago|A long time ago',
  near: 'near|close to|not far from|beside|behind',
  house: 'small|little|cozy|tiny|white|round|crooked|warm|red|blue|wooden|yellow',
  eyes: 'bright|brown|big|green|blue|sparkling|friendly|sleepy',
  heart: 'kind|big|warm|brave|good|gentle',
  wearing: 'hat|scarf|coat|nose|umbrella|apron|bow',
  dayadj: 'sunny|warm|bright|fine|cool|fresh|lovely|quiet|golden|clear|breezy|mild',
  sky: 'the sun was (shining|bright|warm|high in the sky)|(small|soft|white|fluffy) clouds (drifted|sailed|floated) (by|over the hills|across the sky)|the sky was (blue|clear|as blue as a cornflower|full of little clouds)|a (soft|warm|light|gentle) wind (blew|moved the leaves|played in the grass)|dew (lay|sparkled|shone) on the (grass|flowers|leaves)',
  sound:
    '(the birds|the bees|the crickets|the frogs|two robins|a blackbird|the sparrows) (sang|made music|were busy|could be heard everywhere)|(the birds|the robins|the larks) were singing|the bees were humming|the leaves (rustled|whispered) softly|a (cuckoo|woodpecker|rooster) (called|could be heard) (far away|somewhere|from afar)|a bell rang (far away|somewhere)',
  scent:
    'flowers|fresh grass|rain|warm bread|pine|roses|apples|honey|wet earth|mint|wood smoke|lemon|hay|wild berries|soap|spring',
  smell: 'the air smelled of $scent|there was a smell of $scent in the air|it smelled of $scent everywhere',
  game: 'hide and seek|tag|catch|pirates|a game of cards|jump rope|leapfrog|hopscotch|kings and queens|explorers|a guessing game',
  walked: 'walked|went|hurried|ran|strolled|wandered|skipped|set off',
  looked: 'looked|searched|peeked|looked carefully|felt around',
  sadly: 'sadly|with a sigh|in a small voice|with wet eyes|in a sad voice|quietly|and sniffed',
  kindly: 'kindly|with a smile|in a soft voice|gently|in a warm voice|cheerfully|and nodded|and winked',
  tail: `while (a snail|a beetle|an ant|a ladybug|a caterpillar|a green bug|a brown moth|a tiny spider) (crawled|climbed|wandered|crept) (over a leaf|up a stem|along a twig|across the path|over a stone|past a daisy|into the shade)|while (a blackbird|a thrush|a pigeon|a lark|a magpie|a swallow|a finch|a wren) (called|sang|chirped) (from afar|nearby|overhead|in a tree|on a fence|on a roof|in the hedge)|while a (blackbird|thrush|pigeon|magpie|finch|wren) (hopped about|watched|looked down) (nearby|in a tree|on a fence|on a roof|in the hedge)|while the (leaves|branches|tall grass|reeds|treetops) (whispered|danced|rustled|swayed) (softly|gently|all around|in the light|far and wide|to and fro)|while the (clouds|shadows|flowers|bees|soft wind) (moved|danced|played) (softly|gently|all around|in the light|far and wide|to and fro)`,
  nighttail:
    'while (the moon|a big star|the evening star|a thin moon|a full moon|a yellow moon) (rose|shone|stood|hung|climbed) (over the roofs|over the hills|in the window|between the clouds|behind the trees|above the chimney|over the quiet land)|while (an old clock ticked|the fire crackled|the kettle hummed|a cricket sang|the rain whispered|the wind sang|the stove murmured) (softly|in the dark|all night long|through the night|far into the night)',
  often:
    '(alone|with a cousin|with two cousins|with an aunt|with an uncle|with a big sister|with a little brother|with the whole family) (for hours|all summer|from spring to autumn|even on cold days|even on windy days|as often as possible|until somebody called|for an hour or two)',
  dream:
    '(flying|dancing|sailing|walking|riding|swimming) (over the clouds|to the moon|across the sea|with the stars|on a rainbow|on a big white bird|through a field of candy|in a golden boat|with a hundred friends|on top of the world|through a door of light|on a giant cookie)|a (big|golden|tiny|purple|silver|singing|flying) (cake|whale|castle|ship|garden|train|tree|bed|mountain)',
  food: '(soup|stew|noodles|dumplings|potatoes|beans|fried fish|mushrooms|rice|mashed turnips) with (butter|onions|herbs|cheese|carrots|peas|garlic|leeks|warm bread|lemon)|(pancakes|porridge|rice pudding|toast|waffles|apple pie|sweet buns|plum cake|cookies|pears) with (honey|jam|cream|milk|berries|nuts|syrup|cinnamon|cocoa|vanilla)',
  habit:
    'asked a hundred questions a day|talked to the flowers|got up before the sun|counted the stars every night|waved to every cloud|said hello to every tree|kept a stone in each pocket|laughed at thunder|slept with an open window|fed the birds in winter|whistled on the stairs|danced while cooking|sang in the bath|ran down every hill|never forgot a face',
  habit2:
    'sat still only at night|knew every bird by its song|walked barefoot in the rain|saved a crumb for the ants|hummed while walking|wore two different socks|greeted the moon by name|gave names to the snails|drew faces on eggs|read to the cat|ate soup with a big spoon|always found the best puddles|could wait very quietly|liked the smell of rain',
  joy: 'danced|jumped up and down|sang|laughed out loud|clapped|turned around three times|hopped on one leg|threw a hat into the air|kissed a tree|ran in circles|skipped like a lamb|did a little dance|cheered',
  joy2: 'hugged everyone in sight|could not stop smiling|whistled a tune|waved to the clouds|forgot to eat|bowed to the sun|hummed a song|was as light as a feather|laughed at nothing at all',
}
