"""Compiled jobs: each language that is here, what compilers refuse, and the cache."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from proofgym.sandboxes import Job, JobRefused, Limits, Outcome, Pool, Result, ToolchainMissing, languages

DOUBLE = {
    "c": '#include <stdio.h>\nint main(void) { long n; scanf("%ld", &n); printf("%ld\\n", 2 * n); return 0; }',
    "cpp": "#include <bits/stdc++.h>\nint main() { long n; std::cin >> n; std::cout << 2 * n << std::endl; }",
    "rust": "use std::io;\nfn main() { let mut s = String::new(); io::stdin().read_line(&mut s).unwrap();\n"
    'println!("{}", 2 * s.trim().parse::<i64>().unwrap()); }',
    "go": 'package main\nimport "fmt"\nfunc main() { var n int; fmt.Scan(&n); fmt.Println(2 * n) }',
    "java": "import java.util.*;\npublic class Solution { public static void main(String[] a) {\n"
    "System.out.println(2 * new Scanner(System.in).nextLong()); } }",
    "javascript": 'console.log(2 * parseInt(require("fs").readFileSync(0, "utf8")))',
    "typescript": 'declare const require: any;\nconst n: number = parseInt(require("fs").readFileSync(0, "utf8"));\nconsole.log(2 * n);',
}
CRASH = {
    "c": "#include <stdlib.h>\nint main(void) { abort(); }",
    "cpp": "int main() { int *p = nullptr; return *(volatile int *)p; }",
    "rust": "fn main() { std::process::abort(); }",
}


def need(language: str) -> None:
    if not languages.available()[language]:
        pytest.skip(f"no toolchain for {language}")


@pytest.mark.parametrize("language", DOUBLE)
def test_a_program_runs_once_per_input(language: str, pool: Pool) -> None:
    need(language)
    result = pool.run(Job.compiled(language, DOUBLE[language], ["21\n", "-4\n", "0\n"]))
    assert result.ok, result
    assert [run.stdout for run in result.runs] == [b"42\n", b"-8\n", b"0\n"]


@pytest.mark.parametrize("language", [name for name in DOUBLE if name != "javascript"])
def test_what_does_not_compile_is_an_error_with_the_compilers_words(language: str, pool: Pool) -> None:
    need(language)
    result = pool.run(Job.compiled(language, "this is no program", ["1"]))
    assert result.outcome is Outcome.ERROR
    assert "does not compile" in result.detail
    assert result.runs == ()
    assert b"rror" in result.stderr + result.stdout


@pytest.mark.parametrize("language", CRASH)
def test_a_crash_is_a_crash(language: str, pool: Pool) -> None:
    need(language)
    result = pool.run(Job.compiled(language, CRASH[language]))
    assert result.outcome is Outcome.CRASH
    assert result.signal in (6, 11)


@pytest.mark.parametrize("language", ["c", "java", "javascript"])
def test_limits_hold_for_programs(language: str, pool: Pool) -> None:
    need(language)
    loop = {
        "c": "int main(void) { for (;;) ; }",
        "java": "class Main { public static void main(String[] a) { while (true) ; } }",
        "javascript": "for (;;) ;",
    }[language]
    result = pool.run(Job.compiled(language, loop, limits=Limits(wall_s=1.5, cpu_s=1.5)))
    assert result.outcome in (Outcome.TIMEOUT, Outcome.CPU)


def test_memory_of_programs_is_limited(pool: Pool) -> None:
    need("c")
    source = "#include <stdlib.h>\n#include <string.h>\nint main(void) { for (;;) { char *p = malloc(1 << 20); if (!p) return 9; memset(p, 1, 1 << 20); } }"
    result = pool.run(Job.compiled("c", source, limits=Limits(memory_mb=64)))
    assert result.outcome in (Outcome.MEMORY, Outcome.ERROR)
    assert result.max_rss_kb < 400 << 10


def test_the_first_bad_run_is_the_result(pool: Pool) -> None:
    need("c")
    source = '#include <stdio.h>\nint main(void) { int n; scanf("%d", &n); return n; }'
    result = pool.run(Job.compiled("c", source, ["0", "3", "0"]))
    assert [run.exit_code for run in result.runs] == [0, 3, 0]
    assert (result.outcome, result.exit_code) == (Outcome.ERROR, 3)


def test_a_program_is_compiled_once(pool: Pool) -> None:
    need("cpp")
    source = "#include <iostream>\nint main() { std::cout << 12345; }"
    compiled = []

    def execute(job: Job) -> object:
        compiled.append("g++" in job.argv[0] and "main.cpp" in job.argv)
        return pool.run(job)

    job = Job.compiled("cpp", source)
    compiler = languages.Compiler("test")
    for _ in range(3):
        assert compiler.run(job, execute).ok  # type: ignore[arg-type]
    assert compiled.count(True) == 1
    compiler.run(Job.compiled("cpp", source, flags=["-O0"]), execute)  # type: ignore[arg-type]
    assert compiled.count(True) == 2


def test_no_inputs_make_no_job() -> None:
    with pytest.raises(JobRefused, match="standard input"):
        Job.compiled("c", "", [])


def test_a_damaged_cache_entry_is_compiled_again(pool: Pool) -> None:
    need("c")
    assert pool.run(Job.compiled("c", DOUBLE["c"], ["1"])).ok
    for entry in languages._store("compiled").glob("*/*"):
        entry.write_bytes(b"damaged")
    assert pool.run(Job.compiled("c", DOUBLE["c"], ["1"])).ok


def test_a_precompiled_header_is_made_and_used(pool: Pool) -> None:
    need("cpp")
    pool.run(Job.compiled("cpp", DOUBLE["cpp"] + "// first", ["1"]))
    deadline = time.monotonic() + 60
    while not list(languages._store("pch").glob("*/bits/stdc++.h.gch")):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    said = []

    def execute(job: Job) -> Result:
        result = pool.run(job)
        if "main.cpp" in job.argv:
            said.append(result.stderr)
        return result

    job = Job.compiled("cpp", DOUBLE["cpp"] + "// second", ["5"], flags=["-H"])
    assert languages.Compiler("test", languages.binds()).run(job, execute).runs[0].stdout == b"10\n"
    assert [line for line in said[0].splitlines() if line.startswith(b"! ") and line.endswith(b"stdc++.h.gch")]
    assert languages.Compiler("test", ()).run(replace(job, flags=("-H", "-DX")), execute).ok
    assert b".gch" not in said[1]


def test_a_compiler_bomb_is_contained(pool: Pool) -> None:
    need("c")
    bomb = "int x[100000000000] = {1};\nint main(void) { return 0; }"
    begun = time.monotonic()
    result = pool.run(Job.compiled("c", bomb))
    assert not result.ok
    assert time.monotonic() - begun < 100


def test_the_host_cannot_be_read_through_the_compiler(pool: Pool) -> None:
    need("c")
    result = pool.run(Job.compiled("c", '#include "/etc/shadow"\nint main(void) { return 0; }'))
    assert not result.ok
    assert b"No such file" in result.stderr or b"denied" in result.stderr


def test_a_missing_toolchain_is_named(pool: Pool) -> None:
    missing = [name for name, here in languages.available().items() if not here]
    if not missing:
        pytest.skip("every toolchain is here")
    with pytest.raises(ToolchainMissing, match=languages.LANGUAGES[missing[0]].compiler):
        pool.run(Job.compiled(missing[0], ""))
