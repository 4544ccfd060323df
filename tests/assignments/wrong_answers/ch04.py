WRONG = {
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
