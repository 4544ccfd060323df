WRONG = {
    "01-1": {
        "all that sounds hard": ('    return "bde"', [0]),
        "not letters": ('    return "b and d"', [0]),
    },
    "01-2": {
        "unstable": ("    return (levels**pixels / rate / SECONDS_PER_YEAR).log10()", [3, 0]),
        "natural logarithm": (
            "    return pixels * levels.log() - rate.log() - math.log(SECONDS_PER_YEAR)",
            [0, 0],
        ),
        "seconds": ("    return pixels * levels.log10() - rate.log10()", [0, 2]),
    },
    "01-4": {
        "unstable": (
            """\
    values = torch.tensor([-1.0, 1.0], dtype=field.dtype)
    total = (field[0] * values).exp()
    for j, h in zip(coupling, field[1:]):
        total = total @ (j * torch.outer(values, values) + h * values).exp()
    return total.sum().log()""",
            [3, 0],
        ),
        "every state": (
            """\
    from vaelab.exact.enumeration import binary_states

    x = 2 * binary_states(len(field)) - 1
    return ((x[:, :-1] * x[:, 1:]) @ coupling + x @ field).logsumexp(0)""",
            [3, 0],
        ),
        "pixels 0 and 1": (
            """\
    values = torch.tensor([0.0, 1.0], dtype=field.dtype)
    total = field[0] * values
    for j, h in zip(coupling, field[1:]):
        total = (total[:, None] + j * torch.outer(values, values) + h * values).logsumexp(0)
    return total.logsumexp(0)""",
            [0, 0],
        ),
    },
    "01-5": {
        "no second average": ("    return (data[:, :-1] * data[:, 1:]).mean(0)", [0]),
        "sums": (
            """\
    a, b = (x[:, :-1] * x[:, 1:] for x in (data, draws))
    return a.sum(0) - b.sum(0)""",
            [0],
        ),
    },
    "01-6": {
        "one start": (
            """\
    spins = gibbs_ising(grid, torch.ones(40, 8, 8).double(), sweeps, generator)
    late = spins[sweeps // 2 :].mean((0, 2, 3))
    return late[:20].mean() - late[20:].mean()""",
            [0],
        ),
        "only the last sweep": (
            """\
    white = torch.ones(20, 8, 8, dtype=torch.float64)
    last = gibbs_ising(grid, torch.cat([white, -white]), sweeps, generator)[-1].mean((1, 2))
    return last[:20].mean() - last[20:].mean()""",
            [2],
        ),
    },
}
