"""Writes eval-tasks.json: the requests that lm_eval's own task files make of a few made-up rows of each data set.

The data sets are not downloaded: `datasets.load_dataset` is given rows of the same fields.

    python eval_tasks_golden.py
"""
import json
import os
import pathlib

os.environ.setdefault('HF_HUB_OFFLINE', '1')

import datasets
import lm_eval
from lm_eval.tasks import TaskManager

abc = lambda *text, labels='ABCDE': dict(text=list(text), label=list(labels[:len(text)]))
ROWS = {
    'boolq': [dict(passage=f'Passage {i} says so.', question=f'is it {i}', label=i % 2) for i in range(6)],
    'piqa': [dict(goal=f'Open jar {i}', sol1=f'Turn the lid {i}.', sol2='Shake it.', label=i % 2) for i in range(6)],
    'social_iqa': [dict(context=f'Ada met Bo {i}.', question='Why?', answerA='a', answerB='b b', answerC=f'c {i}', label=str(i % 3 + 1)) for i in range(6)],
    'hellaswag': [dict(activity_label=f'Baking {i}', ctx_a='[header] How to bake  [title] Mix it.', ctx_b='the Cook then', endings=[f' [step] stirs  it {i}.', 'eats [x] it.', 'É', 'd'], label=str(i % 4)) for i in range(6)],
    'winogrande': [dict(sentence=f'Ann saw Eve {i} because _ was late.', option1='Ann', option2='Eve', answer=str(i % 2 + 1)) for i in range(6)],
    'arc_easy': [dict(question=f'Which is hot {i}?', choices=abc('ice', f'fire {i}', 'snow', labels='1234'), answerKey=str(i % 3 + 1)) for i in range(6)],
    'openbookqa': [dict(question_stem=f'The sun {i} is', choices=abc('hot', 'cold', 'wet', 'flat'), answerKey='ABCD'[i % 4] if i else ' A') for i in range(6)],
    'commonsense_qa': [dict(question=f' Where is water {i}? ', choices=abc('sea', 'sun', 'sky', 'sand', 'salt'), answerKey='ABCDE'[i % 5]) for i in range(6)],
    'mmlu_abstract_algebra': [dict(question=f' What is {i}+{i}? ', subject='abstract_algebra', choices=[str(2 * i), '1', '7', 'x'], answer=i % 4) for i in range(6)],
    'gsm8k': [dict(question=f'What is {i} plus 1?', answer=f'It is {i + 1}.\n#### {i + 1}') for i in range(8)],
    'triviaqa': [dict(question=f'Who is number {i}', answer=dict(aliases=[f'Ann {i}', f'the {i}th'], value=f'Ann {i}')) for i in range(6)],
    'nq_open': [dict(question=f'when was {i}', answer=[f'in {i}', f'{i}']) for i in range(6)],
    'lambada_openai': [dict(text=f'She had {i} cats and one more cat') for i in range(6)],
    'wikitext': [dict(page=f" = Title {i} = \n The cat 's hat ( red ) cost 1 @,@ 0{i}0 . \" Well \" , it was : old ; ' so ' ! \n = = Part = = \n It is 5 @.@ {i} ° warm . N is s ' new . \n") for i in range(6)],
}
SPLITS = dict(boolq=['train', 'validation'], piqa=['train', 'validation'], social_iqa=['train', 'validation'], hellaswag=['train', 'validation'],
              winogrande=['train', 'validation'], commonsense_qa=['train', 'validation'], triviaqa=['train', 'validation'], nq_open=['train', 'validation'],
              mmlu_abstract_algebra=['dev', 'test'], lambada_openai=['test'], wikitext=['train', 'validation', 'test'], gsm8k=['train', 'test'])

if __name__ == '__main__':
    out, manager = {}, TaskManager()
    for name, rows in ROWS.items():
        splits = SPLITS.get(name, ['train', 'validation', 'test'])
        # The first rows are examples, the last two are asked.
        data = {split: rows[-2:] if i == len(splits) - 1 else rows[:-2] for i, split in enumerate(splits)}
        datasets.load_dataset = lambda **_: datasets.DatasetDict({split: datasets.Dataset.from_list(part) for split, part in data.items()})
        entry = dict(data=data, shots={})
        for shots in (0, 2):
            if shots and name in ('lambada_openai', 'wikitext'):
                continue
            task = manager.load([name])['tasks'][name]
            task.set_config(key='num_fewshot', value=shots)
            task.set_fewshot_seed(1234)
            task.build_all_requests(limit=None, rank=0, world_size=1)
            entry['shots'][shots] = [list(i.args)[:2] for i in task.instances]
        out[name] = entry
        print(name, entry['shots'][0][0])
    doc = dict(source=f'tools/golden/eval_tasks_golden.py, lm_eval {lm_eval.__version__}', tasks=out)
    path = pathlib.Path(__file__).with_name('eval-tasks.json')
    path.write_text(json.dumps(doc, ensure_ascii=False, separators=(',', ':')).replace('{"data"', '\n{"data"') + '\n')
    print(f'{path.name}: {path.stat().st_size} bytes')
