"""Answers that students give, and what they are worth.

For each question that asks for code: a name, the body of the function, and the points of each
part. "unstable" is the formula as it stands in the book, computed without logarithms.
"""

WRONG: dict[str, dict[str, tuple[str, list[float]]]] = {
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
    "02-1": {"the most terms": ('    return "a"', [0]), "everything": ('    return "abcde"', [0])},
    "02-2": {
        "unstable": (
            "    return (log_prior.exp()[:, None] * log_likelihood.exp()).sum(0).log()",
            [3, 0],
        ),
        "no prior": ("    return log_likelihood.logsumexp(0)", [0, 2]),
        "mean of logs": ("    return (log_prior.exp()[:, None] * log_likelihood).sum(0)", [0, 0]),
    },
    "02-4": {
        "unstable": (
            """\
    d = z.shape[1]
    prior = (-0.5 * z.square().sum(1)).exp() / (2 * math.pi) ** (d / 2)
    return ((log_likelihood.exp() * prior[:, None]).sum(0) * step**d).log()""",
            [3, 0],
        ),
        "no 2 pi": (
            """\
    log_prior = -0.5 * z.square().sum(1)[:, None]
    return (log_likelihood + log_prior).logsumexp(0) + z.shape[1] * math.log(step)""",
            [0, 2],
        ),
        "step once": (
            """\
    log_prior = -0.5 * (z.square() + math.log(2 * math.pi)).sum(1)[:, None]
    return (log_likelihood + log_prior).logsumexp(0) + math.log(step)""",
            [0, 2],
        ),
    },
    "02-5": {
        "unstable": (
            """\
    joint = log_joint.exp()
    return ((joint / joint.sum(0))[..., None] * gradients).sum(0)""",
            [3, 0],
        ),
        "all codes alike": ("    return gradients.mean(0)", [0, 0]),
        "gradient of p, not of log p": (
            "    return (log_joint.exp()[..., None] * gradients).sum(0)",
            [0, 0],
        ),
    },
    "02-6": {
        "no step": (
            """\
    z = step * torch.arange(-500, 501, dtype=torch.float64)
    log_density = -0.5 * (z / deviation).square() - math.log(deviation)
    return (log_density - 0.5 * math.log(2 * math.pi)).logsumexp(0).abs()""",
            [0],
        ),
        "a grid that reaches further": (
            """\
    z = step * torch.arange(-50, 51, dtype=torch.float64)
    log_density = -0.5 * (z / deviation).square() - math.log(deviation)
    log_density -= 0.5 * math.log(2 * math.pi)
    return (log_density.logsumexp(0) + math.log(step)).abs()""",
            [2],
        ),
    },
    "03-1": {
        "unstable": ("    return log_weights.exp().mean(0).log()", [3, 0]),
        "sum": ("    return log_weights.logsumexp(0)", [0, 2]),
    },
    "03-2": {
        "unstable": (
            "    w = log_weights.exp()\n    return w.sum(0) ** 2 / (w**2).sum(0)",
            [3, 0],
        ),
        "share": (
            "    w = log_weights.softmax(0)\n    return 1 / (w**2).sum(0) / len(w)",
            [0, 2],
        ),
    },
    "03-3": {"trusting": ('    return "abcd"', [0]), "half of it": ('    return "c"', [0])},
    "03-5": {
        "unstable": (
            """\
    log_det = torch.linalg.det(covariance).log()
    return 0.5 * (mean.square().sum(1) + covariance.trace() - mean.shape[1] - log_det)""",
            [3, 0],
        ),
        "lost 1/2": (
            """\
    log_det = torch.logdet(covariance)
    return mean.square().sum(1) + covariance.trace() - mean.shape[1] - log_det""",
            [0, 2],
        ),
        "no determinant": (
            "    return 0.5 * (mean.square().sum(1) + covariance.trace() - mean.shape[1])",
            [0, 0],
        ),
    },
    "03-6": {
        "variance": (
            """\
    z = torch.randn(2, 5_000, latent_dim, generator=generator)
    a, b = z[0].norm(dim=1), z.mean(0).norm(dim=1)
    return torch.stack([a.mean(), a.var(), b.mean()])""",
            [0],
        ),
        "pairs drawn in another order": (
            """\
    z = torch.randn(5_000, 2, latent_dim, generator=generator)
    a, b = z[:, 0].norm(dim=1), (0.5 * z[:, 0] + 0.5 * z[:, 1]).norm(dim=1)
    return torch.stack([a.mean(), a.std(), b.mean()])""",
            [2],
        ),
    },
    "04-1": {"no narrow ones": ('    return "d"', [0]), "unweighted": ('    return "abd"', [0])},
    "04-2": {
        "unstable": (
            """\
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1).exp()
    q = torch.distributions.Normal(mean, (0.5 * log_var).exp()).log_prob(z).sum(-1).exp()
    return (log_likelihood.exp() * prior / q).log()""",
            [3, 0],
        ),
        "unweighted": ("    return log_likelihood", [0, 0]),
        "2 pi on one side": (
            """\
    log_prior = torch.distributions.Normal(0.0, 1.0).log_prob(z)
    log_q = -0.5 * (z - mean) ** 2 / log_var.exp() - 0.5 * log_var
    return log_likelihood + (log_prior - log_q).sum(-1)""",
            [0, 2],
        ),
    },
    "04-4": {
        "unstable": (
            "    return (share * log_prior.exp() + (1 - share) * log_q.exp()).log()",
            [3, 0],
        ),
        "geometric mean": ("    return share * log_prior + (1 - share) * log_q", [0, 0]),
        "no shares": ("    return torch.logaddexp(log_prior, log_q)", [0, 2]),
    },
    "04-5": {
        "unstable": (
            "    return torch.stack([forward.exp().mean(0), 1 / backward.exp().mean(0)]).log()",
            [2, 0],
        ),
        "sums": ("    return torch.stack([forward.logsumexp(0), -backward.logsumexp(0)])", [0, 1]),
        "means of logs": ("    return torch.stack([forward.mean(0), -backward.mean(0)])", [0, 0]),
    },
    "04-6": {
        "sum": (
            """\
    z = deviation * torch.randn(1_000, 50, 10, generator=generator, dtype=torch.float64)
    w = (-0.5 * z**2 + 0.5 * (z / deviation) ** 2 + math.log(deviation)).sum(-1)
    return torch.stack([pareto_k(w).mean(), w.logsumexp(0).abs().mean()])""",
            [1, 0],
        ),
        "draws in another order": (
            """\
    z = deviation * torch.randn(10, 1_000, 50, generator=generator, dtype=torch.float64)
    w = (-0.5 * z**2 + 0.5 * (z / deviation) ** 2 + math.log(deviation)).sum(0)
    return torch.stack([pareto_k(w).mean(), (w.logsumexp(0) - math.log(1_000)).abs().mean()])""",
            [1, 1],
        ),
    },
}
