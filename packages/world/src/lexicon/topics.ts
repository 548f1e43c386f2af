/** Words that events bind and that the state of the world depends on: feelings, hiding places, fears, skills … with their forms. */

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

export type TopicKind = 'spot' | 'high' | 'sad' | 'glad' | 'hobby' | 'fear' | 'glue' | 'lesson'

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
  glue: words(
    'glue',
    `glue and string, tape and paper, a needle and thread, a hammer and two nails, a piece of wire, some glue, a bit of string,
     glue and a patch, wax and thread, paste and a ribbon, two small screws, sticky tape`,
  ),
  lesson: words(
    'lesson',
    `a friend is worth more than any toy, it is good to ask for help, two can do more than one, it is wise to take good care of things,
     kind words cost nothing, it is never too late to say sorry, sharing makes joy bigger, everyone is afraid sometimes,
     it is brave to try, good things take time, the truth is always best, a promise is a promise, small friends can be a big help,
     nobody is too small to help, it is all right to be sad, helping others feels good, practice makes things easy`,
  ),
}
