"""The command line, run as its user does."""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from feeds.articles import parse_article
from feeds.cli import main
from tests.support import ROOT, SEEDS, article, before_open, refuse


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of articles, with its index beside it."""
    monkeypatch.setenv("FEEDS_DATABASE", f"sqlite:///{tmp_path}/index.sqlite3")
    folder = tmp_path / "articles"
    folder.mkdir()
    return folder


@pytest.fixture
def run() -> Callable[..., Result]:
    """Runs a command in this process."""

    def call(*arguments: object, color: bool = False) -> Result:
        return CliRunner().invoke(main, [str(a) for a in arguments], color=color)

    return call


def test_help_names_every_command(run: Callable[..., Result]) -> None:
    result = run("--help")
    assert result.exit_code == 0
    for command in ("new", "serve", "build", "index", "ping", "check", "list", "explain"):
        assert re.search(rf"^  {command} .*\.$", result.output, re.M)
    assert "..." not in result.output.partition("Commands:")[2]
    assert "FOLDER" in result.output and "setting 'articles'" in result.output
    assert run("-h").output == result.output
    assert run("list", "-h").output == run("list", "--help").output


@pytest.mark.parametrize("command", ["serve", "index", "check", "list"])
def test_missing_folder_is_named(run: Callable[..., Result], command: str) -> None:
    result = run(command, "nowhere")
    assert result.exit_code == 2
    assert "Error: the folder nowhere does not exist, name another\n" in result.output


def test_file_instead_of_a_folder_is_an_error(run: Callable[..., Result], folder: Path) -> None:
    (folder / "one.md").write_text(article())
    result = run("check", folder / "one.md")
    assert result.exit_code == 2
    assert f"Error: {folder}/one.md is not a folder, name the one it is in\n" in result.output


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("index", "x" * 300), "x: File name too long"),
        (("--config", "loop.yaml", "index"), "Too many levels of symbolic links"),
        (("serve", "--host", "a..b", "."), "it is no name of a host; name another with --host"),
        (("serve", "--host", "203.0.113.1", "."), "; name another with --host"),
    ],
)
def test_typo_is_reported_on_one_line(
    run: Callable[..., Result],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    problem: str,
) -> None:
    monkeypatch.chdir(folder)
    # Set by `--config`, and taken back with the test.
    monkeypatch.setenv("FEEDS_CONFIG", "")
    Path("loop.yaml").symlink_to("loop.yaml")
    result = run(*arguments)
    assert result.exit_code == 1 and result.output.startswith("Error: ")
    assert result.output.endswith(f"{problem}\n") and result.output.count("\n") == 1


@pytest.mark.parametrize("full", [False, True])
def test_closed_output_causes_no_traceback(
    run: Callable[..., Result], folder: Path, full: bool
) -> None:
    assert run("index", folder).exit_code == 0
    reader, writer = os.pipe()
    os.close(reader)
    with open("/dev/full", "w") if full else os.fdopen(writer, "w") as output:
        command = [sys.executable, "-m", "feeds", "list", str(folder)]
        done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == ("Error: No space left on device\n" if full else "")


@pytest.mark.parametrize("command", ["index", "ping"])
@pytest.mark.parametrize("path", ["articles/one.md/index.db", "/proc/index.db"])
def test_index_that_cannot_be_made_is_an_error(
    run: Callable[..., Result],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    path: str,
) -> None:
    (folder / "one.md").write_text(article())
    url = f"sqlite:///{folder.parent / path}"
    monkeypatch.setenv("FEEDS_DATABASE", url)
    monkeypatch.setenv("FEEDS_HUB", "http://127.0.0.1:9/")
    monkeypatch.setenv("FEEDS_BASE_URL", "https://news.example")
    result = run(command, folder)
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: the index {url} cannot be ")
    assert result.output.count("\n") == 1


@pytest.mark.parametrize("out", [".", "../articles", "link"])
def test_no_site_is_built_among_the_articles(
    run: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    """As where OUT was forgotten."""
    monkeypatch.setenv("FEEDS_BASE_URL", "https://news.example")
    monkeypatch.chdir(folder)
    Path("link").symlink_to(".")
    result = run("build", out, folder)
    assert result.exit_code == 2
    assert (
        f"Error: OUT is the folder of articles, {folder}; name another folder as OUT"
        in result.output
    )
    assert os.listdir(folder) == ["link"]


def test_unknown_option_is_wrong_usage(run: Callable[..., Result]) -> None:
    assert run("check", "--fix").exit_code == 2


def test_bad_setting_stops_the_start_by_name(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEEDS_LIMIT", "many")
    result = run("list")
    assert result.exit_code == 1
    problem = "limit: is 'many', must be a whole number from 1 to 200"
    assert result.output == f"Error: FEEDS_LIMIT: {problem}\n"


def test_config_option_names_the_settings(
    run: Callable[..., Result], folder: Path, tmp_path: Path
) -> None:
    (folder / "one.md").write_text(article())
    (tmp_path / "feeds.yaml").write_text("base_url: https://news.example/\narticles: articles\n")
    before = dict(os.environ)
    try:
        assert run("--config", tmp_path / "feeds.yaml", "index").exit_code == 0
        result = run("--config", tmp_path / "feeds.yaml", "list")
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert "https://news.example/topics/ai/feed.atom" in result.output


def test_index_reports_counts_and_faults(run: Callable[..., Result], folder: Path) -> None:
    (folder / "one.md").write_text(article())
    (folder / "bad.md").write_text("nothing")
    result = run("index", folder)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "bad.md:1: no front matter, begin the file with a line '---'",
        "2 added, 0 changed, 0 removed.",
        "2 articles: 1 public, 1 at fault.",
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], "0 articles: there is no file that ends in .markdown, .md, .txt."),
        ([article()], "1 article: 1 public."),
        (
            [article(), article(time="2099-01-01T00:00:00Z"), article(quality=1), "nothing"],
            "4 articles: 1 public, 1 scheduled, 1 below the threshold, 1 at fault.",
        ),
        (
            [article(published="false"), article(published="yes", more="removed: true\n")],
            "2 articles, none public: 2 not published ('feeds explain FILE' says why).",
        ),
        (["nothing"], "1 article, none public: 1 at fault ('feeds explain FILE' says why)."),
    ],
)
def test_index_and_check_count_what_is_public_and_what_is_not(
    run: Callable[..., Result], folder: Path, texts: list[str], expected: str
) -> None:
    for number, text in enumerate(texts):
        (folder / f"{number}.md").write_text(text.replace("/story", f"/{number}"))
    assert run("index", folder).stdout.splitlines()[-1] == expected
    # Of the index, which has read them before.
    assert run("index", folder).stdout.splitlines()[-1] == expected
    result = run("check", folder)
    assert (result.stdout.count(":"), result.stderr) == (2 * ("nothing" in texts), f"{expected}\n")


def test_index_warns_once_of_what_looks_like_a_mistake(
    run: Callable[..., Result], folder: Path
) -> None:
    (folder / "one.md").write_text(article().replace("excerpt:", "exerpt:"))
    first = run("index", folder, color=True)
    warning = "one.md:3: warning: unknown field 'exerpt', did you mean 'excerpt'?"
    assert (first.exit_code, first.stderr) == (0, f"\x1b[33m{warning}\x1b[0m\n")
    assert run("index", folder).stderr == ""


def test_many_faults_are_not_all_printed(run: Callable[..., Result], folder: Path) -> None:
    for number in range(12):
        (folder / f"{number}.md").write_text("nothing")
    result = run("index", folder)
    assert result.stderr.count("no front matter") == 10
    assert result.stderr.endswith("and 2 more: 'feeds check' names all\n")


def test_check_prints_every_fault_of_every_file(run: Callable[..., Result], folder: Path) -> None:
    text = article(quality="many", time="yesterday")
    (folder / "a.md").write_text(text)
    (folder / "b.md").write_text("nothing")
    (folder / "sub").mkdir()
    (folder / "sub" / "b.txt").write_text(article())
    result = run("check", folder)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{folder}/a.md:4: 'publishedDateTime' is not a time such as 2020-05-18T02:41:00Z,"
        " correct it",
        f"{folder}/a.md:7: 'quality' must be a whole number without quotes",
        f"{folder}/b.md:1: no front matter, begin the file with a line '---'",
        f"{folder}/sub/b.txt:1: has the same name as {folder}/b.md, rename one of them",
    ]
    expected = "3 articles, none public: 3 at fault ('feeds explain FILE' says why)."
    assert result.stderr == f"{expected}\n"


def test_check_warns_of_what_looks_like_a_mistake(
    run: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEEDS_TOPICS", "{AI: {}, Draft: {}, Law: {}, Old: {withdrawn: true}}")
    monkeypatch.setenv("FEEDS_PROVIDERS", "{www.example.org: {}, example.net: {}}")
    (folder / "a.md").write_text(article(more="imagse: []\n"))
    (folder / "b.md").write_text(article("Same address"))
    (folder / "c.md").write_text(article("Not public", topics=("Draft",), published="false"))
    result = run("check", folder, color=True)
    assert result.exit_code == 0
    warnings = [
        f"{folder}/a.md:14: warning: unknown field 'imagse', did you mean 'images'?",
        f"{folder}/b.md:1: warning: has the same address as {folder}/a.md,"
        " https://example.org/story",
        "warning: the settings name the topic 'law', but no sound article does",
        "warning: the settings name the provider 'example.net', but no sound article does",
    ]
    assert result.stdout == "".join(f"\x1b[33m{warning}\x1b[0m\n" for warning in warnings)


def test_check_names_topics_whose_addresses_are_one(
    run: Callable[..., Result], folder: Path, tmp_path: Path
) -> None:
    (folder / "one.md").write_text(article(topics=("C++", "cplusplus", "C#")))
    (folder / "two.md").write_text(article(topics=("c plus plus", "Law"), published="false"))
    result = run("check", folder)
    assert result.exit_code == 0
    assert result.stdout == (
        "warning: topics 'c++', 'cplusplus' share the slug 'cplusplus': all but one get a suffix,"
        " give them a 'slug' in the settings\n"
    )
    settings = tmp_path / "feeds.yaml"
    settings.write_text("topics:\n  C++:\n    slug: cpp\n")
    assert run("--config", settings, "check", folder).stdout == ""


def test_check_of_a_sound_folder_is_silent(run: Callable[..., Result]) -> None:
    result = run("check", SEEDS)
    expected = "5 articles: 1 public, 4 not published.\n"
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", expected)


def test_check_names_what_it_cannot_read(
    run: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "sub").mkdir()
    (folder / "one.md").write_text(article())
    before_open(monkeypatch, "sub", refuse)
    before_open(monkeypatch, "one.md", refuse)
    result = run("check", folder)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{folder}/sub:1: the folder cannot be read, Permission denied",
        f"{folder}/one.md:1: cannot be read, Permission denied",
    ]


def test_faults_are_coloured_on_a_terminal(run: Callable[..., Result], folder: Path) -> None:
    (folder / "bad.md").write_text("nothing")
    assert "\x1b[31m" in run("check", folder, color=True).stdout
    assert "\x1b[" not in run("check", folder).stdout


def test_folder_that_cannot_be_listed_is_named(
    run: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_folder() -> None:
        raise PermissionError(errno.EACCES, "Permission denied", folder)

    before_open(monkeypatch, folder.name, refuse_folder)
    for command in ("index", "check"):
        result = run(command, folder)
        assert result.exit_code == 1
        assert result.output == f"Error: {folder}: Permission denied\n"


def test_list_shows_counts_and_addresses(run: Callable[..., Result], folder: Path) -> None:
    (folder / "one.md").write_text(article())
    # It makes the index, where there is none yet.
    assert run("list", folder).output.splitlines() == [
        "site      News          1  /feed.atom",
        "topic     AI            1  /topics/ai/feed.atom",
        "provider  Example       1  /providers/example.org/feed.atom",
    ]
    rows = json.loads(run("list", folder, "--json").output)
    assert rows[1] == {
        "kind": "topic",
        "name": "AI",
        "count": 1,
        "newest": "2020-05-18T02:41:00+00:00",
        "page": "/topics/ai/",
        "atom": "/topics/ai/feed.atom",
        "rss": "/topics/ai/feed.rss",
        "json": "/topics/ai/feed.json",
    }


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        (article(published="false"), "in no feed: not published"),
        (article(published="'true'"), "in no feed: not published ('published' on line 8 is not"),
        (article(more="removed: true\n"), "in no feed: removed"),
        (article(quality=58), "in no feed: quality 58 is below the threshold 60"),
        (article(time="2099-01-01T09:30:00Z"), "in no feed yet: due on 2099-01-01 09:30 UTC"),
        (article(time="2020-05-18"), "in no feed: faulty at line 4: 'publishedDateTime' is not"),
        (article(published="false", quality="x"), "in no feed: not published"),
    ],
)
def test_explain_gives_the_one_reason(
    run: Callable[..., Result], folder: Path, text: str, beginning: str
) -> None:
    (folder / "one.md").write_text(text)
    result = run("explain", folder / "one.md", folder)
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == 1
    assert result.output.startswith(beginning)


def test_explain_names_each_feed(run: Callable[..., Result], folder: Path) -> None:
    (folder / "one.md").write_text(article())
    assert run("explain", folder / "one.md", folder).output.splitlines() == [
        "in /",
        "in /topics/ai/",
        "in /providers/example.org/",
    ]


def test_explain_mentions_the_last_good_version(run: Callable[..., Result], folder: Path) -> None:
    (folder / "one.md").write_text(article())
    run("index", folder)
    (folder / "one.md").write_text(article(quality="x"))
    assert run("explain", folder / "one.md", folder).output.splitlines() == [
        "in / (its last good version)",
        "in /topics/ai/ (its last good version)",
        "in /providers/example.org/ (its last good version)",
        "faulty at line 7: 'quality' must be a whole number without quotes",
    ]


def test_explain_counts_newer_articles(
    run: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEEDS_LIMIT", "1")
    (folder / "new.md").write_text(article(time="2021-01-01T00:00:00Z"))
    (folder / "old.md").write_text(article(time="2020-01-01T00:00:00Z"))
    result = run("explain", folder / "old.md", folder)
    assert result.output == "in no feed: older than the 1 newest articles of each\n"


def test_explain_passes_over_the_threshold_of_a_withdrawn_topic(
    run: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEEDS_TOPICS", "{AI: {min_quality: 40, withdrawn: true}}")
    (folder / "one.md").write_text(article(quality=50))
    result = run("explain", folder / "one.md", folder)
    assert result.output == "in no feed: quality 50 is below the threshold 60\n"


def test_explain_takes_a_path_a_name_and_an_address(
    run: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address may be that of a file at fault, and of another spelling."""
    monkeypatch.setenv("FEEDS_BASE_URL", "https://example.org")
    (folder / "sub").mkdir()
    (folder / "sub" / "one.md").write_text(article(quality=1, url="https://example.org/caf\u00e9"))
    (folder / "two.md").write_text(article("Other", published="no"))
    (folder / "video.md").write_text(
        article(quality="x", published="no").replace("webUrl:", "originalUrl:")
    )
    low, not_public = "in no feed: quality 1 is below the threshold 60", "in no feed: not published"
    for wanted in ("sub/one.md", "one", "https://example.org/caf%C3%A9"):
        header = "sub/one.md:\n" if wanted != "sub/one.md" else ""
        assert run("explain", wanted, folder).output == f"{header}{low}\n"
    both = run("explain", "https://example.org/story", folder).output
    assert both == f"two.md:\n{not_public}\nvideo.md:\n{not_public}\n"


@pytest.mark.parametrize("base", ["", "https://example.org/news"])
def test_explain_of_an_address_of_the_site_says_how_it_answers(
    run: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    monkeypatch.setenv("FEEDS_BASE_URL", base)
    (folder / "one.md").write_text(article())
    base = base or "http://localhost:8000"
    for path, told in (
        ("", "200 OK\n"),
        ("/topics/ai/feed.atom?limit=3", "200 OK\n"),
        ("/feed.atom?q=title%20-x", "200 OK\n"),
        ("/?q=Title", f"Moved to {base}/?q=title\n"),
        ("/?q=ab*", "400 Bad Request: q needs 3 letters or more before a *"),
        ("/topics/AI/#top", f"Moved to {base}/topics/ai/\n"),
        ("/topics/Caf\u00e9/?a=\u00e9", "404 Not Found: no such topic: Caf\u00e9"),
        ("/topics/law/", "404 Not Found: no such topic: law"),
        ("/[", "404 Not Found: "),
        ("//[", f"Error: no article of {folder} has the address {base}//[, and the site is at "),
    ):
        assert run("explain", base + path, folder).output.startswith(told)


@pytest.mark.parametrize(
    "wanted",
    [
        *("articles/.draft.md", "articles/page.html", "articles/out.md", "other.md", "nothing"),
        "x" * 300,
    ],
)
def test_explain_of_another_file_says_that_it_is_no_article(
    run: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.chdir(folder.parent)
    for name in ("articles/.draft.md", "articles/page.html", "other.md"):
        Path(name).write_text(article())
    Path("articles/out.md").symlink_to("../other.md")
    result = run("explain", wanted, folder)
    assert result.exit_code == 1
    assert result.output == (
        f"Error: {wanted} is not an article of {folder}: articles are the files of that folder"
        " that end in .markdown, .md, .txt and do not begin with a dot\n"
    )


@pytest.mark.parametrize(
    ("base", "site"),
    [("https://example.org", "https://example.org"), ("", "localhost until 'base_url' is set")],
)
@pytest.mark.parametrize(
    "wanted", ["https://example.com/topics/ai/", "http://[", "http://localhost:99999/"]
)
def test_explain_of_another_address_says_where_the_site_is(
    run: Callable[..., Result],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    base: str,
    site: str,
) -> None:
    monkeypatch.setenv("FEEDS_BASE_URL", base)
    result = run("explain", wanted, folder)
    assert result.exit_code == 1
    assert result.output == (
        f"Error: no article of {folder} has the address {wanted}, and the site is at {site}\n"
    )


@pytest.mark.parametrize("wanted", [b"\xff", b"http://localhost/\xff", b"https://example.com/\xff"])
def test_explain_of_bytes_that_are_no_text_prints_one_line(
    run: Callable[..., Result], folder: Path, wanted: bytes
) -> None:
    result = run("explain", os.fsdecode(wanted), folder)
    assert isinstance(result.exception, SystemExit | None)
    assert len(result.output.splitlines()) == 1


@pytest.mark.parametrize("target", ["..data/one.md", "../articles/two.md"])
def test_explain_of_a_link_within_the_folder_explains_its_article(
    run: Callable[..., Result], folder: Path, target: str
) -> None:
    (folder / "..data").mkdir()
    (folder / "..data" / "one.md").write_text(article(topics=("Linked",)))
    (folder / "two.md").write_text(article(topics=("Linked",)))
    (folder / "link.md").symlink_to(target)
    lines = run("explain", folder / "link.md", folder).output.splitlines()
    assert lines == ["in /", "in /topics/linked/", "in /providers/example.org/"]


def test_explain_of_a_link_from_elsewhere_explains_what_it_leads_to(
    run: Callable[..., Result], folder: Path, tmp_path: Path
) -> None:
    (folder / "one.md").write_text(article(quality=59))
    (tmp_path / "link.md").symlink_to(folder / "one.md")
    result = run("explain", tmp_path / "link.md", folder)
    assert result.output == "one.md:\nin no feed: quality 59 is below the threshold 60\n"


def test_explain_of_the_second_file_of_a_name_says_so(
    run: Callable[..., Result], folder: Path
) -> None:
    (folder / "one.md").write_text(article())
    (folder / "one.txt").write_text(article("Other"))
    beginning = run("explain", folder / "one.txt", folder).output
    assert beginning == "in no feed: has the same name as one.md, rename one of them\n"


def test_serve_on_a_taken_port_says_so(run: Callable[..., Result], folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", folder, "--port", port)
    assert result.exit_code == 1
    problem = f"cannot listen on 127.0.0.1:{port}, Address already in use"
    assert result.output == f"Error: {problem}; name another with --port\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completes_commands_by_the_line_of_the_manual(
    monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    operation = (ROOT / "feeds" / "manual" / "operation.md").read_text()
    [(variable, value)] = re.findall(rf"(?m)^- {shell}: `.*?(\w+)=(\w+) feeds", operation)
    monkeypatch.setenv(variable, value)
    result = CliRunner().invoke(main, prog_name="feeds")
    assert shell in value and "_feeds_completion" in result.output


TITLES = ["A title", "\"C++\" \\ 'C#': # {x}", "$title\n- x", "\u7f8e\u5b66 \U0001f600 " * 99, "!?"]


@pytest.mark.parametrize("title", TITLES)
def test_new_article_is_sound_and_not_published(
    run: Callable[..., Result], folder: Path, title: str
) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    path = Path(run("new", title, folder).output.removesuffix("\n"))
    made = parse_article(path.read_bytes(), path.name)
    assert (made.faults, made.warnings, made.withheld_reason) == ((), (), "not published")
    assert made.article and made.article.title == " ".join(title.split())
    assert (made.article.quality, made.article.content) == (60, "")
    assert before <= made.article.published <= datetime.now(UTC)
    assert path.parent == folder and path.name.startswith(f"{made.article.published:%Y-%m-%d}-")


def test_new_article_is_named_by_its_title_and_never_over_another(
    run: Callable[..., Result], folder: Path
) -> None:
    def make() -> str:
        return run("new", "Hello, C++", folder).output.removesuffix("\n")

    first = make()
    assert first.endswith("-hello-cplusplus.md")
    (folder / "archive").mkdir()
    moved = Path(first).rename(folder / "archive" / Path(first).with_suffix(".txt").name)
    second, third = make(), make()
    assert [second, third] == [first.replace(".md", f"-{n}.md") for n in (2, 3)]
    assert moved.exists() and len(os.listdir(folder)) == 3


@pytest.mark.parametrize("title", ["", " \n", "\x07"])
def test_new_article_without_a_title_is_refused(
    run: Callable[..., Result], folder: Path, title: str
) -> None:
    result = run("new", title, folder)
    assert result.exit_code == 2
    assert "the title has no visible character, write one" in result.output
    assert os.listdir(folder) == []
