"""``article-qa evaluate``: measure answers to questions with known answers."""

from __future__ import annotations

import argparse
import json
import sys

from qa.commands.options import Command, add_json, add_model, add_no_reader
from qa.engine import MAX_K
from qa.ranking.reranker import RERANKER_HELP

__all__ = ["BELOW_THE_GATE", "COMMANDS"]

BELOW_THE_GATE = 3

_EPILOG = """\
DATA is one of
  SQuAD 1.1 or 2.0 JSON                 one index an article, or --pooled
  a BEIR folder                         corpus.jsonl, queries.jsonl, qrels/*.tsv
  a TREC folder                         documents, topics and judgements, such as Cranfield
  ClapNQ lines                          sentences that support an answer
  conversations                         [{"context", "turns": [{"question", "evidence", …}]}]
  questions, one JSON object a line     {"question", "answer" or "answers", or "gold": [quotes or
                                         [start, end]], "answerable", "article", "id", "kind"}

examples:
  article-qa evaluate dev-v1.1.json --baseline plain
  article-qa evaluate questions.jsonl --show-errors --plots confidence.png
  article-qa evaluate dev-v2.0.json --run out/new --compare out/old --gate gate.json

what each measure means stands in docs/evaluation.md

exit status: 0 evaluated, 2 bad usage or input, 3 a measure is under the gate's floor
"""


def _options(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("data", metavar="DATA", help="a file or a folder, see below")
    parser.add_argument("--pooled", action="store_true", help="ask all articles together")
    parser.add_argument(
        "--baseline", choices=["plain"], help="run the plain recipe on the same questions"
    )
    parser.add_argument(
        "--run", metavar="OUT", help="folder to keep answers, TREC run and qrels, and measures in"
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in OUT")
    parser.add_argument(
        "--compare", metavar="OTHER", help="folder of another run, to test the difference from"
    )
    parser.add_argument(
        "--show-errors",
        nargs="?",
        type=int,
        const=20,
        metavar="N",
        help="list N questions that were answered wrong (20)",
    )
    parser.add_argument(
        "--plots", metavar="PNG", help="draw a reliability diagram and a coverage-risk curve"
    )
    parser.add_argument("--gate", metavar="FILE", help="JSON with floors that must be reached")
    parser.add_argument(
        "-k", type=int, metavar="N", help=f"citations asked for, 1 to {MAX_K} (30; documents 100)"
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", help="ask only about N of the questions, spread evenly"
    )
    parser.add_argument(
        "--sample", type=int, metavar="N", help="ask N drawn at random, always the same ones"
    )
    parser.add_argument(
        "--off-article",
        type=int,
        default=0,
        metavar="N",
        help="ask N of the questions also of an article that they are not about",
    )
    parser.add_argument(
        "--no-history", action="store_true", help="ask each turn of a conversation alone"
    )
    add_model(parser)
    parser.add_argument("--reranker", metavar="NAME", help=RERANKER_HELP)
    add_no_reader(parser)
    add_json(parser, "the report")


def run(arguments: argparse.Namespace) -> int:
    """Ask every question of a data set, and print how well the answers do."""
    # Imported here: every other command starts without them.
    from qa.commands.terminal import complain, terminal_progress
    from qa.evaluation.evaluate import evaluate
    from qa.evaluation.plots import check_plot, plot
    from qa.evaluation.report import check_gate, failures_markdown, read_gate

    gate = read_gate(arguments.gate) if arguments.gate else None
    if arguments.plots:
        check_plot(arguments.plots)
    try:
        with terminal_progress() as progress:
            report = evaluate(
                arguments.data,
                model=arguments.model,
                reranker=arguments.reranker,
                reader=not arguments.no_reader,
                pooled=arguments.pooled,
                baseline=arguments.baseline,
                run=arguments.run,
                resume=arguments.resume,
                compare_with=arguments.compare,
                k=arguments.k,
                limit=arguments.limit,
                sample=arguments.sample,
                off_article=arguments.off_article,
                history=not arguments.no_history,
                progress=progress,
            )
    except KeyboardInterrupt:
        if arguments.run:
            complain(
                f"interrupted; what was answered is kept in {arguments.run}: go on with --resume"
            )
        raise
    if arguments.json:
        json.dump(report.to_dict(), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(f"{report}\n")
    if arguments.show_errors is not None:
        # JSON on standard output stays JSON.
        file = sys.stderr if arguments.json else sys.stdout
        file.write(f"\n{failures_markdown(report, arguments.show_errors)}\n")
    if arguments.plots:
        plot(report, arguments.plots)
    missed = check_gate(gate, report) if gate else []
    for line in missed:
        complain(f"{arguments.gate}: {line}")
    return BELOW_THE_GATE if missed else 0


COMMANDS = {"evaluate": Command(run, _options)}
