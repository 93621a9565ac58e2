"""The command line's reference: every verb with its options, read from its own --help and --template."""

import re
import subprocess

from generate.text import indented, rst, table, title

RANGE = re.compile(r"^(.*?)\s*\((-?[\d.e+]+ to .*?|[^()]* \| [^()]*)\)$")


def asked(program, *words):
    return subprocess.run([program, *words], check=True, text=True, capture_output=True).stdout


def entries(text):
    """(name and kind, meaning) of every line of one section of --help."""
    found = []
    for line in text.splitlines():
        if not line.startswith("  "):
            continue
        if line[2] != " ":
            name, _, words = re.match(r"  (\S.*?)($| {2,}(.*)$)", line).groups()
            found.append([name, words or ""])
        else:
            found[-1][1] += (" " if found[-1][1] else "") + line.strip()
    return found


def option(name, words):
    flag, _, kind = name.replace("-h,--help", "--help").partition(" ")
    default = re.search(r"\s*\[([^\[\]]*)\]$", words)
    if default and default.group(1) not in ("mm, LPS", "m/s"):
        words, default = words[:default.start()], default.group(1)
    else:
        default = None
    facts = []
    if found := RANGE.match(words):
        words = found.group(1)
        facts.append(rst(found.group(2)))
    if default is not None:
        facts.append(f"default ``{default}``" if default else "")
    body = rst(words) + (f" ({'; '.join(fact for fact in facts if fact)})" if any(facts) else "")
    return f".. option:: {flag}{f' <{kind}>' if kind else ''}\n\n{indented(body)}\n\n"


def page(program, verb, summary):
    told = asked(program, verb, "--help")
    sections = dict(re.findall(r"^(Positionals|Options):\n(.*?)(?=^\S|\Z)", told, re.M | re.S))
    ends = re.search(r"^In: (.*)\nOut: (.*)$", told, re.M)
    text = title(verb) + rst(summary) + "\n\n"
    text += f":In: {rst(ends.group(1).strip())}\n:Out: {rst(ends.group(2).strip())}\n\n"
    text += f".. program:: cardiotwin {verb}\n\n"
    for name, words in entries(sections.get("Positionals", "")):
        text += option(name.upper() if " " not in name else name.split()[0].upper(), words)
    hidden = ("-h,--help", "--case", "--template")
    for name, words in entries(sections["Options"]):
        if not name.startswith(hidden):
            text += option(name, words)
    template = asked(program, verb, "--template")
    text += ".. raw:: html\n\n   <details><summary>As a case file</summary>\n\n.. code-block:: toml\n\n"
    return text + indented(template) + "\n\n.. raw:: html\n\n   </details>\n"


def write(root, build, out, source):
    program = str(build / "bin/cardiotwin")
    folder = source / "reference/command-line"
    folder.mkdir(parents=True)
    verbs = entries(re.search(r"Subcommands:\n(.*)", asked(program, "--help"), re.S).group(1))
    for verb, summary in verbs:
        (folder / f"{verb}.rst").write_text(page(program, verb, summary))
    rows = [[f"[{verb}](command-line/{verb}.rst)", summary] for verb, summary in verbs]
    (folder.parent / "verbs.inc").write_text(table(["verb", "does"], rows))
