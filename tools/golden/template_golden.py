"""Writes templates.json: what jinja2, set up as lm_eval sets it up, renders of the templates and the document in it.

    python template_golden.py
"""
import json, pathlib
import jinja2
from jinja2 import BaseLoader, Environment, StrictUndefined

DOC = dict(flag=True, nul=None, list=['a', 'b'], f=0.5, obj={'k': 1, "it's": [None, 'x']}, nums=[1, 2.5, -3], s='a b ca', n=1,
           u='é"\u2019 🦙', q="it's", both='"it\'s"', nl='a\n\tb\\', big=1e21, small=1.5e-7, empty=[], one=['🦙b'], t=['A', 'b'])
TEMPLATES = r'''
{{flag}}|{{nul}}|{{list}}|{{f}}|{{obj}}|{{nums}}|{{empty}}|{{big}}|{{small}}|{{one}}|{{(1, "a")}}
{{[q]}}|{{[both]}}|{{[nl]}}|{{[u]}}|{{q}}|{{["\u00a0"]}}
{{s.strip()}}|{{s|trim}}|{{s.rstrip("a")}}|{{s.lstrip("ab ")}}|{{s.strip("^a]-")}}|{{"xxax".strip("x")}}|{{s|trim("a")}}
{{s ~ n}}|{{flag ~ nul ~ list}}|{{"a" + s}}|{{list + ["z"]}}
{{list|join(", ")}}|{{nums|join("-")}}|{{[flag, nul]|join}}|{{", ".join(list)}}|{{"abc"|join(",")}}
{{list|length}}|{{u|length}}|{{obj|length}}|{{s|count}}|{{u[-1]}}|{{u[3]}}|{{u[::-1]}}|{{list[0]}}|{{list[-1]}}|{{s[1:3]}}
{{s|capitalize}}|{{s.capitalize()}}|{{"aB cD-eF (gH"|title}}|{{"aB's cD".title()}}|{{s.upper()}}|{{u|upper}}
{{n == 1}}|{{"1" == 1}}|{{flag == 1}}|{{list == ["a", "b"]}}|{{"a" in list}}|{{[1] in [[1]]}}|{{"1" in [1]}}|{{obj == {"k": 1}}}
{{7 // 2}}|{{-7 // 2}}|{{-7 % 3}}|{{7 / 2}}|{{4 / 2}}|{{n ** 2}}|{{1.0 + 1}}|{{2.0}}
{{"3"|int}}|{{"3x"|int}}|{{"2.9"|int}}|{{-2.5|int}}|{{"x"|int(7)}}|{{flag|int}}|{{nums|string}}|{{flag|string}}
{{s.split(" ")}}|{{s.split()}}|{{s.split(" ", 1)}}|{{s.split("b")[-1]}}|{{" a  b ".split()}}|{{" a  b c ".split(None, 1)}}
{{s.replace("a", "b")}}|{{s.replace("a", "b", 1)}}|{{s|replace("a", "$&")}}|{{s.find("b")}}|{{s.find("z")}}|{{s.index("c")}}|{{u.index("🦙")}}|{{s.count("a")}}
{{s.startswith("a")}}|{{s.endswith(("x", "a"))}}|{{"12".isdigit()}}|{{list.index("b")}}|{{list.count("a")}}|{{t|sort}}|{{t|reverse|list}}
{{obj.k}}|{{obj["k"]}}|{{obj.get("k")}}|{{obj.get("z")}}|{{obj.get("z", 3)}}|{{obj.items()|list}}|{{obj|items|list}}|{{obj.keys()|list}}|{{obj|list}}
{% for x in list %}{{loop.index}}. {{x}}{{", " if not loop.last}}{% endfor %}
{% for x in list %}{{loop.index}}. {{x}}{{", " if not loop.last else ""}}{% endfor %}
{% for k, v in obj.items() %}{{k}}={{v}};{% endfor %}{% for i in range(1, 6, 2) %}{{i}}{% endfor %}{% for i in range(3) %}{{i}}{% endfor %}
{% if nul %}a{% elif empty %}b{% else %}c{% endif %}|{{"yes" if flag else "no"}}|{{nul or "x"}}|{{list and n}}|{{not flag}}
{% set y = s|length %}{{y}}|{%- if flag -%} q {%- endif %}|{# no #}|{{ ["A", "B"][n] }}|{{"ABC"[n]}}
{{missing is defined}}|{{missing|default("d")}}|{{obj.z|default("e")}}|{{n is none}}|{{nul is none}}|{{obj.z is defined}}
{{missing}}
{{obj.z}}
{{list[7]}}
{{s.length}}
{{list.length}}
{{"a" + 1}}
{{nul + 1}}
{{1 / 0}}
{% if missing %}a{% endif %}
{% for x in list %}{{y}}{% endfor %}
{{s.nope()}}
{{"a" if not flag}}
{{s.index("z")}}
{{list|nope}}
'''.strip('\n').split('\n')


def render(source):
    env = Environment(loader=BaseLoader, undefined=StrictUndefined, keep_trailing_newline=True)
    try:
        return env.from_string(source).render(**DOC)
    except Exception:
        return None


if __name__ == '__main__':
    doc = dict(source=f'tools/golden/template_golden.py, jinja2 {jinja2.__version__}', doc=DOC, rendered=[[t, render(t)] for t in TEMPLATES])
    path = pathlib.Path(__file__).with_name('templates.json')
    path.write_text(json.dumps(doc, indent=1, ensure_ascii=False) + '\n')
