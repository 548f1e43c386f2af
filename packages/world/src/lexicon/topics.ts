/** Words that events bind and that the state of the world depends on: feelings, hiding places, fears, skills … with their forms. */
import type { Place } from './places.js'
import type { Noun } from './things.js'

export interface Topic {
  readonly kind: string
  readonly forms: Readonly<Record<string, string>>
}

/** One line a topic, the forms in the order of `names`. */
function topics(kind: string, names: string, lines: string): readonly Topic[] {
  const forms = names.split(' ')
  return lines
    .trim()
    .split('\n')
    .map(line => {
      const parts = line.trim().split(/\s*\|\s*/)
      return { kind, forms: Object.fromEntries(forms.map((form, i) => [form, parts[i] ?? parts[0]!])) }
    })
}

const words = (kind: string, text: string): readonly Topic[] =>
  topics(
    kind,
    'base',
    text
      .trim()
      .split(/\s*,\s*/)
      .join('\n'),
  )

const water = 'pond, lake, beach, cove, harbor, pier, duck pond'
/** Under the open sky, dry, and with room for people. */
const open =
  'clearing, meadow, hill, valley, park, market, square, school, playground, fountain, town hall, pasture, dirt road, orchard, windmill, gate, sunflower field, beach, harbor, sandy path, fishing village, goat meadow, village square, campfire, lookout'

export type TopicKind =
  | 'spot'
  | 'high'
  | 'sad'
  | 'glad'
  | 'hobby'
  | 'fear'
  | 'glue'
  | 'lesson'
  | 'stuff'
  | 'task'
  | 'chore'
  | 'obstacle'
  | 'plight'
  | 'contest'
  | 'clue'
  | 'skill'
  | 'trap'
  | 'storm'
  | 'shelter'
  | 'crop'
  | 'threat'

export const topicLists: Readonly<Record<TopicKind, readonly Topic[]>> = {
  spot: words(
    'spot',
    `under a pile of leaves, behind a big rock, in the tall grass, under a bush, between two roots, inside a hollow log,
     next to an old bucket, behind a fence, under a wooden bench, in a muddy puddle, beside a flower pot, behind a tree stump,
     under a cart, in a small hole, behind a barrel, under a heap of hay, between two stones, in a patch of clover,
     next to a mossy log, behind a stack of wood, under a broken chair, inside an empty box, under a fern, beside a snail`,
  ),
  high: words(
    'high',
    `in a tall tree, on a high branch, on top of a roof, on a lamp post, in a thorn bush, on a high ledge, at the top of a pole,
     in an apple tree, on a chimney, between two high rocks`,
  ),
  sad: words('sad', 'sad, worried, upset, unhappy, gloomy, miserable'),
  glad: words('glad', 'happy, glad, proud, joyful, cheerful, delighted'),
  hobby: topics(
    'hobby',
    'base ing past',
    `pick flowers | picking flowers | picked flowers
     climb trees | climbing trees | climbed trees
     count clouds | counting clouds | counted clouds
     sing songs | singing songs | sang songs
     jump in puddles | jumping in puddles | jumped in puddles
     paint pictures | painting pictures | painted pictures
     watch the birds | watching the birds | watched the birds
     bake cookies | baking cookies | baked cookies
     tell stories | telling stories | told stories
     collect stones | collecting stones | collected stones
     dance in the rain | dancing in the rain | danced in the rain
     build towers | building towers | built towers
     feed the ducks | feeding the ducks | fed the ducks
     chase butterflies | chasing butterflies | chased butterflies
     swing on the gate | swinging on the gate | swung on the gate
     watch the boats | watching the boats | watched the boats
     ask riddles | asking riddles | asked riddles
     roll down hills | rolling down hills | rolled down hills
     draw animals | drawing animals | drew animals
     look at the stars | looking at the stars | looked at the stars
     make people laugh | making people laugh | made people laugh
     plant seeds | planting seeds | planted seeds`,
  ),
  fear: topics(
    'fear',
    'base trouble face',
    `the dark | fell into a deep, dark hole | climbed down into the dark hole
     deep water | slipped into the deep water | jumped into the deep water
     high places | got stuck at the top of a tall tree | climbed all the way up the tall tree
     thunder | was caught in a storm with a hurt foot | ran out into the thunder and the rain
     big dogs | was trapped behind a gate by a big dog | walked right up to the big dog
     spiders | was locked in a shed full of spiders | went into the shed full of spiders
     narrow tunnels | got stuck in a narrow tunnel | crawled into the narrow tunnel
     geese | was chased into a corner by angry geese | ran right between the angry geese
     old bridges | got stuck in the middle of an old bridge | walked out onto the old bridge
     fog | got lost in the thick fog | walked into the thick fog
     empty houses | was locked in an empty house | went into the empty house
     fast rivers | fell into a fast river | swam out into the fast river
     caves | got lost in a deep cave | went into the deep cave
     bees | was caught between the bees and a fence | walked through the cloud of bees
     loud noises | was stuck under a loud, rattling machine | crawled under the loud, rattling machine
     snakes | was stuck on a rock with a snake below | chased away the snake
     strangers | needed help, and only a stranger had a rope | ran to the stranger and asked for the rope
     steep stairs | was stuck at the top of a steep stair | climbed up the steep stair`,
  ),
  glue: topics(
    'glue',
    'base for',
    `glue and string | hard
     a hammer and two nails | hard
     a piece of wire | hard
     two small screws | hard
     a drop of glue | hard
     some glue | hard paper
     strong tape | hard paper
     tape and paper | paper
     paste and a ribbon | paper
     a clean sheet of paper | paper
     a needle and thread | cloth
     a patch and thread | cloth
     a bit of wool | cloth
     tiny stitches | cloth
     a pretty patch | cloth`,
  ),
  lesson: topics(
    'lesson',
    'base plots',
    `a friend is worth more than any toy | lost quarrel farewell
     it is good to ask for help | lost learn journey stuck
     two can do more than one | lost stuck storm make
     it is wise to take good care of things | lost promise
     friends look for things together | lost
     kind words cost nothing | quarrel contest visitor newcomer mystery
     it is never too late to say sorry | quarrel truth promise mystery
     sharing makes joy bigger | quarrel visitor garden
     a good friend is more fun than the best toy | quarrel newcomer
     it takes two to fight and two to make up | quarrel
     everyone is afraid sometimes | fear storm newcomer
     it is brave to try | fear learn journey
     being brave means being afraid and going on | fear
     fear gets smaller when you face it | fear
     good things take time | garden learn make
     a seed needs water, sun and patience | garden
     little by little, small things get big | garden learn
     the truth is always best | truth promise
     a lie is heavy to carry | truth
     a promise is a promise | promise
     it is easy to forget and hard to make good again | promise
     small friends can be a big help | stuck lost journey storm
     a good plan is better than strong arms | stuck
     nobody is too small to help | stuck storm visitor
     it is all right to be sad | farewell lost garden
     helping others feels good | visitor storm stuck gift
     nobody should be left out in the cold | visitor storm
     strangers can become friends | visitor mystery newcomer
     practice makes things easy | learn contest
     nobody is born knowing everything | learn
     a mistake is only the first step | learn make
     giving is as nice as getting | gift make party
     work can be a gift, too | gift
     the best presents come from the heart | gift make party
     a secret can be a kind thing | party
     real friends never forget you | party farewell
     it is wrong to blame someone too fast | mystery
     it is better to ask than to take | mystery
     winning is not everything | contest
     a good heart is better than a prize | contest
     it is better to be fast at helping than first at the finish | contest
     a long way is made of small steps | journey
     there is always a way around | journey
     all it takes is one friendly word | newcomer
     friends stay friends, even far apart | farewell`,
  ),
  stuff: topics(
    'stuff',
    'base bare',
    `some glue | glue
     some string | string
     some paint | paint
     some wood | wood
     some paper | paper
     some wool | wool
     some nails | nails
     some clay | clay
     some red cloth | red cloth
     some silver thread | silver thread
     some wax | wax
     some straw | straw
     some wire | wire
     some ribbon | ribbon
     some blue ink | blue ink
     some flour | flour
     some honey | honey
     some butter | butter
     some eggs | eggs
     some milk | milk
     some berries | berries
     some sugar | sugar
     some nuts | nuts
     some cinnamon | cinnamon`,
  ),
  task: topics(
    'task',
    'base past',
    `sweep the floor | swept the floor
     water the flowers | watered the flowers
     carry the boxes | carried the boxes
     wash the windows | washed the windows
     feed the hens | fed the hens
     stack the wood | stacked the wood
     peel the potatoes | peeled the potatoes
     rake the leaves | raked the leaves
     paint the fence | painted the fence
     deliver the letters | delivered the letters
     polish the spoons | polished the spoons
     mend the nets | mended the nets
     pull the weeds | pulled the weeds
     shell the peas | shelled the peas
     dust the shelves | dusted the shelves
     pick the cherries | picked the cherries
     scrub the pots | scrubbed the pots
     fold the towels | folded the towels
     sort the buttons | sorted the buttons
     shovel the snow | shoveled the snow`,
  ),
  chore: topics(
    'chore',
    'base past',
    `bake a cake | baked a cake
     hang up paper lanterns | hung up paper lanterns
     paint a big sign | painted a big sign
     write the invitations | wrote the invitations
     blow up balloons | blew up balloons
     practice a song | practiced a song
     pick flowers for the table | picked flowers for the table
     cut stars out of paper | cut stars out of paper
     make lemonade | made lemonade
     tie ribbons to the chairs | tied ribbons to the chairs
     build a little stage | built a little stage
     bake twenty cookies | baked twenty cookies
     make funny hats | made funny hats
     ask the neighbors for chairs | asked the neighbors for chairs
     learn a magic trick | learned a magic trick`,
  ),
  obstacle: topics(
    'obstacle',
    'base fail help self',
    `a wide river | tried to jump across | pushed a log across the water | walked along the bank until the water was shallow
     a high wall | tried to climb over | showed a small door in the wall | piled up stones and climbed over
     a dark wood | ran in without looking | went ahead with a lantern | followed the light between the trees
     a deep ditch | tried to leap over it | laid a plank across it | climbed down one side and up the other
     a locked gate | shook the gate | came with the key | crawled through a gap under the gate
     a broken bridge | stepped on the loose boards | tied the boards together with rope | crossed slowly on the strong beams
     a field full of thorns | tried to push through | cut a path through the thorns | went around by the long way
     a fork in the road | took the wrong way | knew the right way | looked at the sun and chose the right way
     a fallen tree | tried to push it away | sawed the tree in two | crawled under the trunk
     a muddy swamp | sank in up to the knees | knew where the dry stones were | jumped from one dry stone to the next
     a steep hill | slid all the way down again | let down a rope from the top | climbed it step by step, in a zigzag
     an angry goose | tried to run past it | calmed the goose with a handful of corn | sang softly until the goose fell asleep
     a thick fog | walked in a circle | rang a bell to show the way | waited until the fog was gone
     a herd of cows | shouted at the cows | led the cows to one side | walked quietly between the cows`,
  ),
  plight: topics(
    'plight',
    'base',
    `tired and hungry
     cold and wet
     hungry and far from home
     lost and all alone
     with torn shoes and no coat
     shaking with cold
     too tired to go on
     with a hurt foot
     wet to the skin
     with nothing to eat for two days`,
  ),
  contest: topics(
    'contest',
    'base a practised past ground',
    `running race | a running race | practised running | ran | ${open}
     swimming race | a swimming race | practised swimming | swam | ${water}
     sled race | a sled race | practised sledding | raced down the hill | snowy slope, sled hill
     singing contest | a singing contest | practised singing | sang | ${open}, barn, library, toy shop, bakery, cabin, ski hut
     climbing contest | a climbing contest | practised climbing | climbed | old oak tree, willow tree, hill, pine grove, old stone wall, playground, town hall, park, orchard, haystack, gate, windmill, sea wall, lighthouse, sand dunes, tall rocks, pine forest, lookout
     jumping contest | a jumping contest | practised jumping | jumped | ${open}
     dancing contest | a dancing contest | practised dancing | danced | ${open}, barn, cabin, ski hut
     boat race | a boat race | practised rowing | rowed | ${water}
     sack race | a sack race | practised hopping | hopped | ${open}
     egg race | an egg race | practised balancing | balanced an egg on a spoon | ${open}
     skating race | a skating race | practised skating | skated | frozen pond
     bike race | a bike race | practised riding | rode | park, square, market, playground, school, fountain, town hall, dirt road, pasture, meadow, valley, hill, sandy path, fishing village, harbor, mountain path, village square`,
  ),
  clue: topics(
    'clue',
    'base',
    `tiny footprints
     a trail of crumbs
     a gray feather
     a small hole in the wall
     a bit of brown fur
     muddy paw prints
     a row of little seeds
     a thin thread on a nail
     scratches on the door
     a strange smell of cheese
     wet marks on the floor
     a half-eaten nut`,
  ),
  skill: topics(
    'skill',
    'base past ing fail tip ground',
    `swim | swam | swimming | swallowed a lot of water | kick with your legs | ${water}
     whistle | whistled | whistling | blew only air | make your lips round
     skate | skated | skating | fell on the ice | bend your knees | frozen pond
     ride a bike | rode a bike | riding a bike | fell into the hedge | look ahead and not down
     climb a rope | climbed a rope | climbing a rope | slid down again | use your feet, too
     juggle | juggled | juggling | dropped every ball | throw them a little higher
     bake bread | baked bread | baking bread | burned the loaf | give the dough more time
     tie a knot | tied a knot | tying a knot | only made a tangle | go around twice
     dance | danced | dancing | stepped on every foot | listen to the music first
     read | read | reading | mixed up all the letters | say each letter out loud
     paint a horse | painted a horse | painting a horse | painted something like a potato | look at it for a long time first
     row a boat | rowed a boat | rowing a boat | went around in circles | pull with both arms | ${water}
     catch a ball | caught a ball | catching a ball | missed every time | keep your eyes on the ball
     fly a kite | flew a kite | flying a kite | pulled it into a bush | run against the wind
     sing high notes | sang high notes | singing high notes | croaked like a frog | breathe from your belly
     stand on one leg | stood on one leg | standing on one leg | fell over like a tree | look at one spot
     knit | knitted | knitting | lost every stitch | hold the wool loosely
     play the flute | played the flute | playing the flute | made a terrible squeak | blow softly
     jump rope | jumped rope | jumping rope | got caught in the rope | listen for the beat
     do a handstand | did a handstand | doing a handstand | fell flat on the grass | tighten your belly`,
  ),
  trap: topics(
    'trap',
    'base',
    `in the deep mud
     in a hole in the ground
     in an old net
     between two rocks
     in a thorny bush
     under a fallen branch
     in a hollow tree
     in a narrow pipe
     between the boards of a fence
     in a big barrel
     in the wet clay
     under an old wagon
     in a tangle of roots
     on a small island in the stream`,
  ),
  storm: topics(
    'storm',
    'base after',
    `a thunderstorm | a rainbow stood over the hills
     heavy rain | the whole world smelled fresh
     a hailstorm | the ground was white and glittered
     a snowstorm | everything was white and very quiet
     a wild storm | the wind was as soft as a feather
     a cold, gray rain | the puddles shone like mirrors
     a sudden storm | the birds came out and sang
     a dust storm | the air was clear and golden`,
  ),
  shelter: topics(
    'shelter',
    'base',
    `under a big rock
     in an empty shed
     under an old cart
     in a hollow tree
     under a thick pine
     in a small cave
     under a stone arch
     in an old tent
     under a wooden roof
     behind a thick hedge
     in a dry tunnel
     under a big tarp`,
  ),
  crop: topics(
    'crop',
    'base seed many',
    `a pumpkin | a pumpkin seed | pumpkin soup
     a sunflower | a sunflower seed | sunflower seeds
     a strawberry plant | a tiny strawberry seed | strawberries
     an apple tree | an apple seed | apples
     a bean plant | a white bean | bean soup
     a cherry tree | a cherry stone | cherries
     a tomato plant | a tomato seed | tomatoes
     a melon | a melon seed | slices of melon
     a pear tree | a pear seed | pears
     a walnut tree | a walnut | walnuts
     a turnip | a turnip seed | turnip stew
     a cucumber plant | a cucumber seed | cucumber sandwiches
     a raspberry bush | a raspberry seed | raspberries`,
  ),
  threat: topics(
    'threat',
    'base guard',
    `the sun was hot and the ground was dry | carried water from the well every evening
     hungry snails came in the night | put a ring of sand around it
     a cold frost came | covered it with a warm blanket
     a big storm came | held an umbrella over it
     the crows wanted to eat it | built a funny scarecrow
     weeds grew all around it | pulled out every weed
     a goat looked over the fence | built a higher fence
     the wind bent it to the ground | tied it to a strong stick
     two hens scratched at its roots | put thorny branches all around it
     caterpillars ate its leaves | picked off every caterpillar
     ivy climbed all over it | cut the ivy away
     its leaves turned yellow | gave it fresh, black earth`,
  ),
}

/** Whether a thing of this kind is mended with it: nails are for wood, a needle for cloth. */
export const mends = (glue: Topic, { material }: Noun): boolean =>
  material !== undefined && glue.forms.for!.split(' ').includes(material)

/** Whether a contest can be held or a skill be learned there: nobody skates on a beach. What has no ground of its own, anywhere. */
export const heldAt = ({ forms }: Topic, { noun }: Place): boolean =>
  forms.ground === forms.base || forms.ground!.split(', ').includes(noun)
