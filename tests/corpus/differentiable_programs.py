"""Answers to `differentiable_programs`, wrong and right: steps in time, a simulation, a solver's rule, a fit."""

from tests.corpus.answers import Answer, right, wrong


def _euler() -> tuple[Answer, ...]:
    exercise = "differentiable_programs.euler_step"
    speed = "speed_bar = dt * y_bar"
    back = "by_growth, rates_bar = growth_bwd((state, rates), speed_bar)"
    returned = "return y_bar + by_growth, rates_bar, None"
    kept = "return state + dt * growth(state, rates), (state, rates, dt)"
    return (
        wrong(
            exercise,
            "no y_bar",
            (returned, "return by_growth, rates_bar, None"),
            mistake="the state's own place forgotten",
        ),
        wrong(
            exercise,
            "y_bar alone",
            (returned, "return y_bar, rates_bar, None"),
            mistake="the way through growth forgotten",
        ),
        wrong(exercise, "no dt", (speed, "speed_bar = y_bar"), mistake="dt forgotten"),
        wrong(
            exercise,
            "dt afterwards",
            (speed, "speed_bar = y_bar"),
            (returned, "return y_bar + dt * by_growth, rates_bar, None"),
            mistake="dt for the state alone",
        ),
        wrong(
            exercise,
            "dt on both",
            (returned, "return dt * y_bar + by_growth, rates_bar, None"),
            mistake="dt on everything",
        ),
        wrong(
            exercise,
            "the new state kept",
            (kept, "y = state + dt * growth(state, rates)\n    return y, (y, rates, dt)"),
            mistake="at the state after the step",
        ),
        wrong(exercise, "a minus", (speed, "speed_bar = -dt * y_bar"), mistake="back in time"),
        wrong(
            exercise,
            "y_bar twice",
            (returned, "return 2 * y_bar + by_growth, rates_bar, None"),
            line="is counted twice",
        ),
        wrong(
            exercise,
            "minus all",
            (returned, "return -(y_bar + by_growth), jax.tree.map(jnp.negative, rates_bar), None"),
            slip="sign",
        ),
        wrong(exercise, "no rates", (returned, "return y_bar + by_growth, None, None"), fault="structure"),
        wrong(exercise, "dt inside twice", (speed, "speed_bar = dt * dt * y_bar"), mistake="dt twice"),
        wrong(exercise, "two entries", (returned, "return y_bar + by_growth, rates_bar"), fault="structure"),
        right(
            exercise,
            "dt's own, too",
            (returned, "return y_bar + by_growth, rates_bar, jnp.sum(growth(state, rates) * y_bar)"),
        ),
        right(exercise, "a tuple of rates", (returned, "return y_bar + by_growth, tuple(rates_bar), None")),
        right(
            exercise,
            "afterwards",
            (back, "by_growth, rates_bar = growth_bwd((state, rates), y_bar)"),
            (
                returned,
                "return y_bar + dt * by_growth, jax.tree.map(lambda bar: dt * bar, rates_bar), None",
            ),
        ),
        right(
            exercise,
            "all by itself",
            functions="""
def euler_step_fwd(state, rates, dt):
    return state + dt * growth(state, rates), (state, rates, dt)


def euler_step_bwd(residuals, y_bar):
    (h, l), (birth, hunting, feeding, death), dt = residuals
    a, b = dt * y_bar
    h_bar = y_bar[0] + (birth - hunting * l) * a + feeding * l * b
    l_bar = y_bar[1] - hunting * h * a + (feeding * h - death) * b
    return jnp.array([h_bar, l_bar]), Rates(h * a, -h * l * a, h * l * b, -l * b), None
""",
        ),
    )


def _rk4() -> tuple[Answer, ...]:
    exercise = "differentiable_programs.rk4_step"
    k4 = "k4_bar = dt / 6 * y_bar"
    k3 = "k3_bar = dt / 3 * y_bar + dt * state4_bar"
    k2 = "k2_bar = dt / 3 * y_bar + dt / 2 * state3_bar"
    k1 = "k1_bar = dt / 6 * y_bar + dt / 2 * state2_bar"
    state = "state_bar = y_bar + state1_bar + state2_bar + state3_bar + state4_bar"
    rates = "lambda *bars: sum(bars), rates1_bar, rates2_bar, rates3_bar, rates4_bar"
    kept = "return y, ([state, state2, state3, state4], rates, dt)"
    unpacked = "(state1, state2, state3, state4), rates, dt = residuals"
    return (
        wrong(exercise, "no y_bar", (state, state.replace("y_bar + ", "")), mistake="the state's own place forgotten"),
        wrong(
            exercise,
            "one stage",
            (state, "state_bar = y_bar + state1_bar"),
            mistake="the state of the first stage alone",
        ),
        wrong(
            exercise,
            "average only",
            (k3, "k3_bar = dt / 3 * y_bar"),
            (k2, "k2_bar = dt / 3 * y_bar"),
            (k1, "k1_bar = dt / 6 * y_bar"),
            mistake="the stages not linked",
        ),
        wrong(
            exercise,
            "sixths",
            (k3, k3.replace("dt / 3", "dt / 6")),
            (k2, k2.replace("dt / 3", "dt / 6")),
            mistake="all weights a sixth",
        ),
        wrong(
            exercise,
            "no sixth",
            (k4, "k4_bar = dt * y_bar"),
            (k3, k3.replace("dt / 3", "2 * dt")),
            (k2, k2.replace("dt / 3", "2 * dt")),
            (k1, k1.replace("dt / 6", "dt")),
            mistake="the sum not divided",
        ),
        wrong(
            exercise,
            "no dt between",
            (k3, k3.replace("dt * state4_bar", "state4_bar")),
            (k2, k2.replace("dt / 2 * state3_bar", "state3_bar / 2")),
            (k1, k1.replace("dt / 2 * state2_bar", "state2_bar / 2")),
            mistake="dt forgotten between stages",
        ),
        wrong(
            exercise,
            "no dt on the last",
            (k3, k3.replace("dt * state4_bar", "state4_bar")),
            mistake="dt forgotten on the last stage",
        ),
        wrong(
            exercise,
            "whole ways",
            (k2, k2.replace("dt / 2", "dt")),
            (k1, k1.replace("dt / 2", "dt")),
            mistake="half ways taken whole",
        ),
        wrong(
            exercise,
            "k2 for k3",
            (k3, "k3_bar = dt / 3 * y_bar"),
            (k2, k2 + " + dt * state4_bar"),
            mistake="the second speed for the third",
        ),
        wrong(
            exercise,
            "the last rates",
            (f"jax.tree.map({rates})", "rates4_bar"),
            mistake="the rates of the last stage alone",
        ),
        wrong(
            exercise,
            "one state for all",
            (kept, "return y, ([state] * 4, rates, dt)"),
            mistake="all stages at the first state",
        ),
        wrong(
            exercise,
            "the first rates",
            (f"jax.tree.map({rates})", "rates1_bar"),
        ),
        wrong(
            exercise,
            "half of the last way",
            (k3, k3.replace("dt * state4_bar", "dt / 2 * state4_bar")),
            line="state + dt * k3",
        ),
        wrong(exercise, "states turned round", (unpacked, "(state4, state3, state2, state1), rates, dt = residuals")),
        wrong(
            exercise,
            "minus",
            (
                "    return state_bar, rates_bar, None\n\n\ndef simulate_fwd",
                "    return -state_bar, jax.tree.map(jnp.negative, rates_bar), None\n\n\ndef simulate_fwd",
            ),
            slip="sign",
        ),
        wrong(
            exercise,
            "rates averaged",
            (rates, rates.replace("sum(bars)", "sum(bars) / 4")),
            line="multiplied by a number that does not belong there",
        ),
        right(
            exercise,
            "added by hand",
            (rates, "lambda a, b, c, d: a + b + c + d, rates1_bar, rates2_bar, rates3_bar, rates4_bar"),
        ),
        right(
            exercise,
            "as tuples",
            (kept, "return y, ((state, state2, state3, state4), tuple(rates), dt)"),
            (
                unpacked,
                "(state1, state2, state3, state4), rates, dt = residuals[0], Rates(*residuals[1]), residuals[2]",
            ),
        ),
        right(
            exercise,
            "all made again",
            functions="""
def rk4_step_fwd(state, rates, dt):
    k1 = growth(state, rates)
    k2 = growth(state + dt / 2 * k1, rates)
    k3 = growth(state + dt / 2 * k2, rates)
    k4 = growth(state + dt * k3, rates)
    return state + dt * (k1 / 6 + k2 / 3 + k3 / 3 + k4 / 6), (state, rates, dt)


def rk4_step_bwd(residuals, y_bar):
    state, rates, dt = residuals
    places = [state]
    for part in (dt / 2, dt / 2, dt):
        places.append(state + part * growth(places[-1], rates))
    state_bar, rates_bar, back = y_bar, jax.tree.map(jnp.zeros_like, rates), 0 * y_bar
    for place, weight, part in zip(reversed(places), (6, 3, 3, 6), (0, dt, dt / 2, dt / 2)):
        back, bars = growth_bwd((place, rates), dt / weight * y_bar + part * back)
        state_bar, rates_bar = state_bar + back, jax.tree.map(jnp.add, rates_bar, bars)
    return state_bar, rates_bar, None
""",
        ),
        right(
            exercise,
            "one array of speeds",
            functions="""
def rk4_step_fwd(state, rates, dt):
    places, speeds = [state], [growth(state, rates)]
    for part in (0.5, 0.5, 1.0):
        places.append(state + part * dt * speeds[-1])
        speeds.append(growth(places[-1], rates))
    return state + dt * jnp.array([1, 2, 2, 1]) @ jnp.stack(speeds) / 6, (jnp.stack(places), rates, dt)


def rk4_step_bwd(residuals, y_bar):
    places, rates, dt = residuals
    k_bars = [dt * weight / 6 * y_bar for weight in (1, 2, 2, 1)]
    total, all_rates = y_bar, []
    for stage in (3, 2, 1, 0):
        place_bar, rates_bar = growth_bwd((places[stage], rates), k_bars[stage])
        total = total + place_bar
        all_rates.append(rates_bar)
        if stage:
            k_bars[stage - 1] = k_bars[stage - 1] + (dt if stage == 3 else dt / 2) * place_bar
    return total, jax.tree.map(lambda *bars: jnp.stack(bars).sum(0), *all_rates), None
""",
        ),
    )


def _simulate() -> tuple[Answer, ...]:
    exercise = "differentiable_programs.simulate"
    before = "before = jnp.concatenate([start[None], states[:-1]])"
    redone = "_, record = rk4_step_fwd(state, rates, dt)"
    back = "state_bar, rates_bar, _ = rk4_step_bwd(record, after_bar + row_bar)"
    handed = "return state_bar, rates_bar\n"
    sweep = "jax.lax.scan(step_back, nothing, (before, dts, states_bar), reverse=True)"
    summed = "lambda bars: jnp.sum(bars, axis=0), every_rates_bar"
    return (
        wrong(
            exercise,
            "the last step's",
            (summed, "lambda bars: bars[-1], every_rates_bar"),
            mistake="the rates of the last step alone",
        ),
        wrong(
            exercise,
            "the first step's",
            (summed, "lambda bars: bars[0], every_rates_bar"),
            mistake="the rates of the first step alone",
        ),
        wrong(exercise, "the mean", (summed, summed.replace("sum", "mean")), mistake="the rates averaged over steps"),
        wrong(exercise, "after", (before, "before = states"), mistake="the state after for the state before"),
        wrong(
            exercise,
            "the last row",
            (sweep, "jax.lax.scan(step_back, states_bar[-1], (before, dts, states_bar * 0), reverse=True)"),
            mistake="the last state's cotangent alone",
        ),
        wrong(exercise, "rows alone", (back, back.replace("after_bar + ", "")), mistake="nothing handed on"),
        wrong(
            exercise,
            "a row late",
            (back, back.replace(" + row_bar", "")),
            (handed, "return state_bar + row_bar, rates_bar\n"),
            mistake="a row one step late",
        ),
        wrong(
            exercise, "forward's order", (sweep, sweep.replace(", reverse=True", "")), mistake="the first step first"
        ),
        wrong(exercise, "not summed", (f"jax.tree.map({summed})", "every_rates_bar"), slip="not summed"),
        wrong(exercise, "rows turned", (sweep, sweep.replace("states_bar)", "states_bar[::-1])"))),
        wrong(exercise, "all from the start", (redone, redone.replace("state,", "start,"))),
        wrong(exercise, "one length", (redone, redone.replace("dt)", "dts[0])"))),
        wrong(
            exercise,
            "minus",
            ("return start_bar, rates_bar, None", "return -start_bar, jax.tree.map(jnp.negative, rates_bar), None"),
            slip="sign",
        ),
        wrong(exercise, "the start at the end", (before, "before = jnp.concatenate([states[1:], start[None]])")),
        right(
            exercise,
            "the states before on record",
            functions="""
def simulate_fwd(start, rates, dts):
    def step(state, dt):
        after, _ = rk4_step_fwd(state, rates, dt)
        return after, (state, after)

    before, states = jax.lax.scan(step, start, dts)[1]
    return states, (before, rates, dts)


def simulate_bwd(residuals, states_bar):
    before, rates, dts = residuals

    def back(carried, kept):
        bar, total = carried
        state, dt, row = kept
        bar, rates_bar, _ = rk4_step_bwd(rk4_step_fwd(state, rates, dt)[1], bar + row)
        return (bar, jax.tree.map(jnp.add, total, rates_bar)), None

    first = jnp.zeros(2, before.dtype), jax.tree.map(jnp.zeros_like, rates)
    (start_bar, rates_bar), _ = jax.lax.scan(back, first, (before, dts, states_bar), reverse=True)
    return start_bar, rates_bar, None
""",
        ),
        right(
            exercise,
            "loops",
            functions="""
def simulate_fwd(start, rates, dts):
    states = [start]
    for dt in dts:
        states.append(rk4_step_fwd(states[-1], rates, dt)[0])
    return jnp.stack(states[1:]), (states[:-1], rates, dts)


def simulate_bwd(residuals, states_bar):
    before, rates, dts = residuals
    bar, total = states_bar[-1], None
    for n in range(len(dts) - 1, -1, -1):
        _, kept = rk4_step_fwd(before[n], rates, dts[n])
        bar, bars, _ = rk4_step_bwd(kept, bar)
        total = bars if total is None else jax.tree.map(jnp.add, total, bars)
        bar = bar + states_bar[n - 1] if n else bar
    return bar, total, None
""",
        ),
        right(exercise, "by tensordot", (summed, "lambda bars: jnp.ones(len(bars)) @ bars, every_rates_bar")),
        right(
            exercise,
            "vmap after the scan",
            (handed, "return state_bar, (after_bar + row_bar)\n"),
            (
                f"rates_bar = jax.tree.map({summed})",
                "every = jax.vmap(lambda s, dt, bar: rk4_step_bwd(rk4_step_fwd(s, rates, dt)[1], bar)[1])\n"
                "    rates_bar = jax.tree.map(lambda bars: bars.sum(0), every(before, dts, every_rates_bar))",
            ),
        ),
    )


def _kepler() -> tuple[Answer, ...]:
    exercise = "differentiable_programs.kepler"
    known = "known = mean_anomaly_dot + jnp.sin(anomaly) * eccentricity_dot"
    divided = "anomaly_dot = known / (1 - eccentricity * jnp.cos(anomaly))"
    returned = "return anomaly, anomaly_dot"
    return (
        wrong(exercise, "not divided", (divided, "anomaly_dot = known"), mistake="the sine's own motion forgotten"),
        wrong(exercise, "a plus", (divided, divided.replace("1 -", "1 +")), mistake="a plus for the minus"),
        wrong(exercise, "a sine", (divided, divided.replace("cos", "sin")), mistake="a sine for the cosine"),
        wrong(exercise, "times", (divided, divided.replace("/", "*")), mistake="multiplied for divided"),
        wrong(
            exercise,
            "eccentricity alone",
            (known, "known = jnp.sin(anomaly) * eccentricity_dot"),
            mistake="the mean anomaly stands still",
        ),
        wrong(exercise, "mean alone", (known, "known = mean_anomaly_dot"), mistake="the eccentricity stands still"),
        wrong(exercise, "minus", (known, known.replace("+", "-")), mistake="what the eccentricity does subtracted"),
        wrong(exercise, "no sine", (known, known.replace("jnp.sin(anomaly) * ", ""))),
        wrong(exercise, "at the mean anomaly", (divided, divided.replace("cos(anomaly)", "cos(mean_anomaly)"))),
        wrong(exercise, "cosine for sine", (known, known.replace("sin", "cos"))),
        wrong(exercise, "all turned", (returned, "return anomaly, -anomaly_dot"), slip="sign"),
        right(
            exercise,
            "by the value",
            (known, "known = mean_anomaly_dot + eccentricity_dot * (anomaly - mean_anomaly) / eccentricity"),
            (
                divided,
                divided.replace(
                    "known",
                    "jnp.where(eccentricity == 0, mean_anomaly_dot + jnp.sin(anomaly) * eccentricity_dot, known)",
                ),
            ),
        ),
        right(
            exercise,
            "each apart",
            (
                divided,
                "slowed = 1 - eccentricity * jnp.cos(anomaly)\n"
                "    anomaly_dot = mean_anomaly_dot / slowed + jnp.sin(anomaly) * eccentricity_dot / slowed",
            ),
        ),
        right(exercise, "turned round", (divided, "anomaly_dot = -known / (eccentricity * jnp.cos(anomaly) - 1)")),
        right(
            exercise,
            "its own solver",
            functions="""
def kepler_jvp(primals, tangents):
    (m, e), (m_dot, e_dot) = primals, tangents
    y = m
    for _ in range(60):
        y = y - (y - e * jnp.sin(y) - m) / (1 - e * jnp.cos(y))
    y = kepler(m, e) + 0 * y
    return y, (m_dot + jnp.sin(y) * e_dot) / (1 - e * jnp.cos(y))
""",
        ),
    )


def _least_squares() -> tuple[Answer, ...]:
    exercise = "differentiable_programs.least_squares"
    solved = "right_bar = jnp.linalg.solve(a.T @ a, x_bar)"
    matrix = "matrix_bar = -jnp.outer(right_bar, x)"
    a_bar = "a_bar = by_right + a @ (matrix_bar + matrix_bar.T)"
    b_bar = "b_bar = a @ right_bar"
    return (
        wrong(exercise, "by the right alone", (a_bar, "a_bar = by_right"), mistake="the matrix held still"),
        wrong(
            exercise,
            "by the matrix alone",
            (a_bar, "a_bar = a @ (matrix_bar + matrix_bar.T)"),
            mistake="the right-hand side's a forgotten",
        ),
        wrong(exercise, "one use", (a_bar, "a_bar = by_right + a @ matrix_bar"), mistake="the transposed a forgotten"),
        wrong(
            exercise, "the other use", (a_bar, "a_bar = by_right + a @ matrix_bar.T"), mistake="the plain a forgotten"
        ),
        wrong(exercise, "a plus", (matrix, matrix.replace("-", "")), mistake="the matrix with a plus"),
        wrong(exercise, "not solved", (solved, "right_bar = x_bar"), mistake="the equations not solved"),
        wrong(
            exercise,
            "solved twice",
            (b_bar, "right_bar = jnp.linalg.solve(a.T @ a, right_bar)\n    " + b_bar),
            (matrix, "matrix_bar = -jnp.outer(jnp.linalg.solve(a.T @ a, right_bar), x)"),
            mistake="solved twice",
        ),
        wrong(exercise, "twice one use", (a_bar, "a_bar = by_right + 2 * a @ matrix_bar")),
        wrong(exercise, "minus", ("return a_bar, b_bar", "return -a_bar, -b_bar"), slip="sign"),
        wrong(exercise, "multiplied", (solved, "right_bar = (a.T @ a) @ x_bar")),
        wrong(
            exercise,
            "no outer product of the right",
            (a_bar, "a_bar = a @ (matrix_bar + matrix_bar.T) - by_right"),
            line="has the wrong sign",
        ),
        right(
            exercise,
            "by what is left over",
            (a_bar, "a_bar = jnp.outer(b - a @ x, right_bar) - jnp.outer(a @ right_bar, x)"),
        ),
        right(exercise, "by an inverse", (solved, "right_bar = jnp.linalg.inv(a.T @ a) @ x_bar")),
        right(exercise, "by einsum", (matrix, 'matrix_bar = -jnp.einsum("i,j->ij", right_bar, x)')),
        right(
            exercise,
            "b once",
            functions="""
def least_squares_fwd(a, b):
    inverse = jnp.linalg.inv(a.T @ a)
    x = inverse @ (a.T @ b)
    return x, (a, b - a @ x, inverse, x)


def least_squares_bwd(residuals, x_bar):
    a, rest, inverse, x = residuals
    bar = inverse @ x_bar
    return rest[:, None] * bar - (a @ bar)[:, None] * x, a @ bar
""",
        ),
    )


ANSWERS = (*_euler(), *_rk4(), *_simulate(), *_kepler(), *_least_squares())
