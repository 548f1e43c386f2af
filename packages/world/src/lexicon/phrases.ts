/** Phrase lists that patterns name as $list: small change, without meaning for the state of the world. */

export const phrases: Readonly<Record<string, string>> = {
  once: 'Once upon a time|Once|Long ago|Once upon a time|Many years ago|In a land far away|Not so long ago|A long time ago',
  near: 'near|close to|not far from|beside|behind',
  house: 'small|little|cozy|tiny|white|round|crooked|warm|red|blue|wooden|yellow',
  eyes: 'bright|brown|big|green|blue|sparkling|friendly|sleepy',
  heart: 'kind|big|warm|brave|good|gentle',
  wearing: 'hat|scarf|coat|nose|umbrella|apron|bow',
  dayadj: 'sunny|warm|bright|fine|cool|fresh|lovely|quiet|golden|clear|breezy|mild',
  sky: 'the sun was (shining|bright|warm|high in the sky|just coming up)|(small|soft|white|fluffy) clouds (drifted|sailed|floated) (by|over the hills|across the sky)|the sky was (blue|clear|as blue as a cornflower|full of little clouds)|a (soft|warm|light|gentle) wind (blew|moved the leaves|played in the grass)|dew (lay|sparkled|shone) on the (grass|flowers|leaves)',
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
  comforting:
    'and said nothing for a while|and stayed close|until the tears were gone|until the world looked better|and that helped a little',
}
