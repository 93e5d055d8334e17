"""What `flash_attention` asks: parts merged, a tile without weights, all keys in tiles, causal tiles, shared keys."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import flash_attention as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Number
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.flash_attention import Part, attend_all, attend_tile, causal_attend, lowest, multi_query, visits

TOKENS, WIDTH, FLOAT = 4096, 64, 4
"""Of the head in the question on bytes: its sequence, its width, and the bytes of a number."""

TILES = 16
"""In a row of the sequence in the question on FLOPs."""

KEPT, AGAIN = 6, 7
"""Products of a head, there and back, with weights that are kept and with weights that are made again."""

MILLION = 1e6

LARGE = 1000.0
"""Is added to scores of whose exp nothing finite is left, or to one tile's keys after the other's."""

MOST_TILES = 7
"""Arrays with a number for each pair of one tile that may be alive at once."""

MOST_HEADS = 2


def _numbers(draw: Draw, *axes: str) -> np.ndarray:
    """Gaussian numbers; on paper 1 and -1, since by larger ones all weights are 0 or 1."""
    drawn = draw.normal(*axes)
    return np.sign(drawn) if draw.is_small else drawn


def _draw_parts(draw: Draw) -> tuple[Part, Part]:
    def part() -> Part:
        y = draw.normal("queries", "d_head")
        return Part(y, _numbers(draw, "queries")[:, None])

    return part(), part()


def _draw_large_parts(draw: Draw) -> tuple[Part, Part]:
    """Of some queries all scores are large, of the others far below zero."""
    one, other = _draw_parts(draw)
    far = LARGE * np.where(np.arange(len(one.lse)) % 2, 1.0, -1.0)[:, None]
    return one._replace(lse=one.lse + far), other._replace(lse=other.lse + far)


def _draw_empty_parts(draw: Draw) -> tuple[Part, Part]:
    """Of some queries the first part has seen no key, of the others the second."""
    parts = _draw_parts(draw)
    without = np.arange(len(parts[0].lse))[:, None] % 2 == 0

    def emptied(part: Part, where: np.ndarray) -> Part:
        return Part(np.where(where, 0.0, part.y), np.where(where, lowest(np.float32), part.lse))

    return emptied(parts[0], without), emptied(parts[1], ~without)


def _merged(one: Part, other: Part) -> Part:
    """By the definition: softmax of both lse gives the shares."""
    both = jnp.stack([one.lse, other.lse])
    shares = jax.nn.softmax(both, axis=0)
    return Part(shares[0] * one.y + shares[1] * other.y, jax.nn.logsumexp(both, axis=0))


def _draw_tile(draw: Draw) -> tuple[np.ndarray, ...]:
    """Every query sees the first key, and some of the others."""
    draw.sizes("queries", "keys")
    q, k = _numbers(draw, "queries", "d_head"), _numbers(draw, "keys", "d_head")
    mask = draw.either("queries", "keys") > 0
    mask[:, 0] = True
    return q, k, draw.normal("keys", "d_head"), mask


def _draw_blind(draw: Draw) -> tuple[np.ndarray, ...]:
    """The first query sees nothing, and nobody sees the last key."""
    q, k, v, mask = _draw_tile(draw)
    mask[0] = mask[:, -1] = False
    return q, k, v, mask


def _draw_large_tile(draw: Draw) -> tuple[np.ndarray, ...]:
    q, k, v, mask = _draw_tile(draw)
    return q, k + LARGE, v, mask


def _draw_all(draw: Draw) -> tuple[np.ndarray, ...]:
    draw.sizes("queries", "tile", "d_head", "tiles")
    q, k = _numbers(draw, "queries", "d_head"), _numbers(draw, "tiles", "tile", "d_head")
    return q, k, draw.normal("tiles", "tile", "d_head")


def _draw_all_unlike(draw: Draw) -> tuple[np.ndarray, ...]:
    return _unlike(*_draw_all(draw))


def _unlike(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, ...]:
    """Moves each tile's keys further out than those before: scores of some queries grow so, those of others fall."""
    return q, k + LARGE * np.arange(len(k))[:, None, None], v


def _draw_causal(draw: Draw) -> tuple[np.ndarray, ...]:
    draw.sizes("tiles", "tile", "d_head")
    q, k = (_numbers(draw, "tiles", "tile", "d_head") for _ in range(2))
    return q, k, draw.normal("tiles", "tile", "d_head")


def _draw_causal_unlike(draw: Draw) -> tuple[np.ndarray, ...]:
    return _unlike(*_draw_causal(draw))


def _draw_heads(draw: Draw) -> tuple[np.ndarray, ...]:
    _, k, v = _draw_all(draw)
    return _numbers(draw, "heads", "queries", "d_head")[:MOST_HEADS], k, v


def _narrow_bytes(q: Any, *others: Any) -> int:
    """For each query what a head is wide, and one number: y and lse."""
    return int((q.size + q.size // q.shape[-1]) * q.dtype.itemsize)


def _peak_bytes_of_all(q: Any, k: Any, v: Any) -> int:
    """The value, lse, the cotangents, and some tiles with a number for each pair."""
    queries = q.size // q.shape[-1]
    return int((2 * q.size + 2 * queries + k.size + v.size + MOST_TILES * queries * k.shape[1]) * q.dtype.itemsize)


def _peak_bytes_of_causal(q: Any, k: Any, v: Any) -> int:
    """The same, with room for the cotangents twice more: what a loop starts from, and what it hands on."""
    _, tile, d_head = q.shape
    return int((10 * q.size + 2 * q.size // d_head + MOST_TILES * tile * tile) * q.dtype.itemsize)


def _kept(pairs: float, numbers: float) -> tuple[float, float]:
    """Megabytes of so many numbers for each two tokens, and of so many for each token."""
    return pairs * TOKENS**2 * FLOAT / MILLION, numbers * TOKENS * FLOAT / MILLION


def _visited() -> float:
    """The share of all tiles that lies on the diagonal or below it."""
    return len(visits(TILES)[0]) / TILES**2


MERGE = Exercise(
    name="flash_attention.merge",
    title="two parts of a row",
    task=FunctionTask(
        reference=_merged,
        function="merge",
        draw=_draw_parts,
        returns="whole",
        awkward=(
            Case("lse of a thousand", _draw_large_parts),
            Case("a part that has seen no key", _draw_empty_parts),
        ),
        mistakes=mistakes.MERGE,
    ),
    points=2,
    hints=(
        "A part's y is (powers @ v) / total over its own keys, and its total is exp(lse). Write y of the whole with "
        "the powers and totals of both parts.",
        "The whole's total is the sum of both totals, and its top is the sum of both tops: a part's top is its total "
        "times its y. So y is a mean of both y, by shares that add up to 1.",
        "exp of a thousand is no number. jnp.logaddexp does what its name says without it. And a share is a total "
        "divided by a total: a difference of logarithms, under one exp.",
    ),
    asks={
        "whole.lse": "exp(lse) is a total. What is the total of both parts?   (step 1)",
        "whole.y": "each y is a mean over its own part: which share of the whole has each?   (step 2)",
    },
)

BYTES = Exercise(
    name="flash_attention.q1",
    title="bytes for 4096 tokens",
    task=Number(
        f"One head, {WIDTH} numbers wide, {TOKENS} tokens, float32. The pair of `attention` keeps powers, a number for "
        "each query and key. This one keeps y and lse. How many megabytes (of 10**6 bytes) are powers, and how many "
        "are y and lse together? Answer with a pair.",
        compute=lambda: _kept(1, WIDTH + 1),
        says="Right: 67 against 1. And that is one head of one sequence in one layer. With 16 heads in each of 24 "
        "layers it is 26 GB against 0.4.",
        traps=(
            (lambda: _kept(1, WIDTH), "The first is right. y takes 64 numbers a token: what does lse take?"),
            (
                lambda: (_kept(1, 0)[0] * MILLION / 2**20, _kept(0, WIDTH + 1)[1] * MILLION / 2**20),
                "You divided by 2**20. Megabytes are meant, of 10**6 bytes.",
            ),
            (
                lambda: (_kept(1, 0)[0] / FLOAT, _kept(0, WIDTH + 1)[1] / FLOAT),
                "These are millions of numbers. A number in float32 has 4 bytes.",
            ),
            (lambda: (_kept(1, 0)[0], _kept(0, 1)[1]), "The first is right, the second is lse alone."),
            (lambda: (_kept(0.5, 0)[0], _kept(0, WIDTH + 1)[1]), "Masked powers are 0, and kept as all others are."),
        ),
    ),
    points=1,
)

ATTEND_TILE = Exercise(
    name="flash_attention.attend_tile",
    title="a tile that keeps no weights",
    task=PairTask(
        primal=attend_tile,
        fwd="attend_tile_fwd",
        bwd="attend_tile_bwd",
        draw=_draw_tile,
        awkward=(
            Case("a query that sees nothing", _draw_blind),
            Case("scores of a thousand", _draw_large_tile),
        ),
        limits=Limits(products=1.2, residual_bytes=_narrow_bytes),
        mistakes=mistakes.ATTEND_TILE,
    ),
    points=4,
    cost_points=2,
    hints=(
        "Forward as in attention: scores, with -inf where the mask is False; powers = exp(scores - highest); totals; "
        "y = (powers @ v) / total. What is log(sum(exp(scores))) of a row, by its highest score and its total?",
        "Keep (q, k, v, mask, y, lse). Backward makes the scores as forward did. exp(scores - lse) is powers divided "
        "by totals, at one stroke: exp of a difference is a quotient.",
        "With weights it is what you know: v_bar and weights_bar are two products; each score gets its weight times "
        "what its weight was handed less the row's mean; that mean is (y_bar * y).sum(axis=-1, keepdims=True). Then "
        "two products for q_bar and k_bar, with the scale. highest_of and total_of take care of blind queries.",
    ),
    asks={
        "q_bar": "what came back to the scores, and what stands beside q in them?   (steps 3, 4)",
        "k_bar": "what came back to the scores, and what stands beside k in them?   (steps 3, 4)",
        "v_bar": "with which weights was each value taken, and by which queries?   (steps 1, 2)",
    },
)

ATTEND_ALL = Exercise(
    name="flash_attention.attend_all",
    title="all keys, tile by tile",
    task=PairTask(
        primal=attend_all,
        fwd="attend_all_fwd",
        bwd="attend_all_bwd",
        draw=_draw_all,
        awkward=(Case("tiles whose scores lie far apart", _draw_all_unlike),),
        limits=Limits(products=1.2, residual_bytes=_narrow_bytes, peak_bytes=_peak_bytes_of_all),
        mistakes=mistakes.ATTEND_ALL,
    ),
    points=5,
    cost_points=2,
    uses=("flash_attention.merge", "flash_attention.attend_tile"),
    hints=(
        "Forward: jax.lax.scan(look, nothing(q), (k, v)) hands look a part and one tile (its keys, its values). "
        "attend_tile_fwd gives that tile's y and, among what it keeps, its lse: a Part, to be merged with what came.",
        "Keep (q, k, v, y, lse) of the whole. Backward is a scan over the tiles again. A tile's weights are shares of "
        "the whole row: exp(its scores - the row's lse). Your attend_tile_bwd makes them so, if what it is handed "
        "holds the row's lse, and the row's y.",
        "attend_tile_bwd((q, k_of_tile, v_of_tile, mask, y, lse), y_bar) gives q_bar of that tile, its k_bar and its "
        "v_bar. The first is carried on and added to; the other two are what the scan stacks, one a tile. The mask is "
        "all_seen(...) in both.",
    ),
    asks={
        "q_bar": "how many tiles does a query look at, and what becomes of what each sends back?   (step 4)",
        "k_bar": "whose y and lse make a tile's weights, and what its scores get?   (steps 2 to 4)",
        "v_bar": "whose lse makes a tile's weights?   (steps 2 to 4)",
    },
)

CAUSAL_ATTEND = Exercise(
    name="flash_attention.causal_attend",
    title="causal, and no tile for nothing",
    task=PairTask(
        primal=causal_attend,
        fwd="causal_attend_fwd",
        bwd="causal_attend_bwd",
        draw=_draw_causal,
        awkward=(Case("tiles whose scores lie far apart", _draw_causal_unlike),),
        limits=Limits(products=0.8, flops=1.05, residual_bytes=_narrow_bytes, peak_bytes=_peak_bytes_of_causal),
        mistakes=mistakes.CAUSAL_ATTEND,
    ),
    points=6,
    cost_points=3,
    uses=("flash_attention.merge", "flash_attention.attend_tile"),
    hard=True,
    hints=(
        "One loop, over visits(tiles): jax.lax.scan(visit, nothing(q), visits(len(q))) hands visit a row and a column. "
        "q[row], k[column] and v[column] are that tile's, seen(row, column, tile) its mask. What is carried is a Part "
        "of all tiles: y is (tiles, tile, d_head).",
        "A visit takes the row's part out, Part(parts.y[row], parts.lse[row]), merges it with what the tile gives, and "
        "puts it back: parts.y.at[row].set(...) is an array in which one row is another, and likewise lse.",
        "Backward: the same visits, and three arrays of zeros are carried. attend_tile_bwd is handed the tile's q, k, "
        "v and mask, y[row] and lse[row], and y_bar[row]. Its results are added, .at[...].add(...): q_bar's where the "
        "queries are, the other two where the keys are.",
    ),
    asks={
        "q_bar": "which visits does a row of tiles get something from, and where is it added?   (steps 2, 3)",
        "k_bar": "to which tile does it belong, and how often is that visited?   (steps 2, 3)",
        "v_bar": "to which tile does it belong, and how often is that visited?   (steps 2, 3)",
    },
)

FLOPS = Exercise(
    name="flash_attention.q2",
    title="what it costs to forget",
    task=Number(
        "Count products of two matrices, each as large as q @ k.T: forward has two, and backward with kept weights "
        "four. Forgetting the weights, how many times the FLOPs of those six do forward and backward take? And if it "
        f"is causal, with {TILES} x {TILES} tiles, and tiles wholly above the diagonal are not visited? Answer with a "
        "pair.",
        compute=lambda: (AGAIN / KEPT, AGAIN / KEPT * _visited()),
        says="Right: one product more, q @ k.T once again, is a sixth; and 136 of 256 tiles are visited. What is "
        "forgotten costs less than what need not be looked at.",
        traps=(
            (
                lambda: (AGAIN / KEPT, AGAIN / KEPT / 2),
                "The first is right. More than half of the tiles are visited: those on the diagonal are, too.",
            ),
            (lambda: (5 / 4, 5 / 4 * _visited()), "That is backward alone, 5 products for 4. With forward?"),
            (lambda: (AGAIN / KEPT, _visited()), "The first is right. The visited tiles forget their weights as well."),
            (
                lambda: (8 / KEPT, 8 / KEPT * _visited()),
                "Of forward's two products only one is needed again: is y asked for a second time?",
            ),
            (lambda: (float(AGAIN), AGAIN * _visited()), "These are products. Divide by six."),
        ),
    ),
    points=1,
)

MULTI_QUERY = Exercise(
    name="flash_attention.multi_query",
    title="many heads, the same keys",
    task=PairTask(
        primal=multi_query,
        fwd="multi_query_fwd",
        bwd="multi_query_bwd",
        draw=_draw_heads,
        limits=Limits(products=1.2, residual_bytes=_narrow_bytes, peak_bytes=_peak_bytes_of_all),
        mistakes=mistakes.MULTI_QUERY,
    ),
    points=2,
    cost_points=1,
    uses=("flash_attention.attend_all",),
    required=False,
    hints=(
        "A query does not know of which head it is. It looks at the keys, which are the same for all.",
        "Two heads with 7 queries each, at the same keys: what would 14 queries of one head find there?",
        "reshape(-1, d_head) puts the queries of all heads in a row, and reshape(q.shape) takes the value apart again. "
        "Backward does the same with y_bar and q_bar. k_bar and v_bar need nothing: the products have added up.",
    ),
    asks={
        "q_bar": "how did forward put the heads in a row?   (step 2)",
        "k_bar": "all heads used the same keys: what follows?   (step 2)",
        "v_bar": "all heads used the same values: what follows?   (step 2)",
    },
)

IN_YOUR_WORDS = Exercise(
    name="flash_attention.text",
    title="is a loop not enough?",
    task=FreeText(
        'Somebody says: "I wrote forward in tiles, with a scan. No array has a number for each pair any more, so '
        'jax.grad of it needs memory linear in length, too. Why write the backward pass by hand?" Answer: what happens '
        "to memory, what jax.checkpoint around the body changes, and what yours does that neither can find.",
        rubric=(
            Criterion(
                2,
                "jax.grad of a scan keeps what each round's backward pass needs: powers of every tile, stacked, which "
                "is all pairs again.",
            ),
            Criterion(
                1,
                "jax.checkpoint makes a tile's powers again; but what is carried, y and lse of all queries, is kept "
                "once a tile: length squared divided by the tile.",
            ),
            Criterion(
                2,
                "By hand: weights are had from scores and the row's final lse, so no round needs what was carried "
                "then, and the merging has no way back at all.",
            ),
            Criterion(1, "The mean that a row loses is had from y_bar and y, before any tile is looked at."),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="flash_attention.q3",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(ATTEND_ALL.task, sizes=(3, 2, 1, 2)),
            Source(CAUSAL_ATTEND.task, sizes=(3, 2, 1)),
        )
    ),
    points=1,
)

PAPER = Paper(
    "flash_attention",
    (
        MERGE,
        ATTEND_TILE,
        BYTES,
        ATTEND_ALL,
        CAUSAL_ATTEND,
        FLOPS,
        MULTI_QUERY,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
    shows_forward=True,
    shows_cost=True,
)
