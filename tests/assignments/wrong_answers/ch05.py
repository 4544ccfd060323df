WRONG = {
    "05-1": {
        "any divergence": ('    return "ace"', [0]),
        "linear in q": ('    return "cde"', [0]),
    },
    "05-2": {
        "unstable": (
            """\
    var_q, var_p = log_var_q.exp(), log_var_p.exp()
    squared = (mean_q - mean_p) ** 2
    return 0.5 * ((var_q + squared) / var_p - 1 - (var_q / var_p).log()).sum(-1)""",
            [3, 0],
        ),
        "lost 1/2": (
            """\
    ratio = log_var_q - log_var_p
    squared = (mean_q - mean_p) ** 2 / log_var_p.exp()
    return (ratio.exp() - 1 - ratio + squared).sum(-1)""",
            [0, 2],
        ),
        "to the standard normal": (
            "    return 0.5 * (mean_q**2 + log_var_q.exp() - 1 - log_var_q).sum(-1)",
            [0, 0],
        ),
    },
    "05-4": {
        "unstable": (
            """\
    error = (x - bias - mean @ weight.T).square().sum(-1)
    error = error + (log_var.exp() * weight.square().sum(0)).sum(-1)
    constant = torch.tensor(2 * math.pi * noise_var).double() ** (-x.shape[1] / 2)
    likelihood = constant * (-error / (2 * noise_var)).exp()
    return likelihood.log() - 0.5 * (mean**2 + log_var.exp() - log_var - 1).sum(-1)""",
            [2, 0],
        ),
        "at the mean only": (
            """\
    error = (x - bias - mean @ weight.T).square().sum(-1)
    constant = -0.5 * x.shape[1] * math.log(2 * math.pi * noise_var)
    kl = 0.5 * (mean**2 + log_var.exp() - log_var - 1).sum(-1)
    return constant - 0.5 * error / noise_var - kl""",
            [0, 1],
        ),
        "squared error": (
            """\
    error = (x - bias - mean @ weight.T).square().sum(-1)
    return -error - 0.5 * (mean**2 + log_var.exp() - log_var - 1).sum(-1)""",
            [0, 1],
        ),
    },
    "05-5": {
        "unstable": (
            """\
    mixture = (log_q.exp() * log_share.exp()).sum(-1)
    return ((log_joint - mixture.log()).mean(0) * log_share.exp()).sum()""",
            [3, 0],
        ),
        "own component": (
            """\
    own = log_q.diagonal(dim1=1, dim2=2)
    return ((log_joint - own).mean(0) * log_share.exp()).sum()""",
            [0, 2],
        ),
        "draws all alike": (
            "    return (log_joint - (log_q + log_share).logsumexp(-1)).mean()",
            [0, 2],
        ),
        "geometric mean": (
            """\
    mixture = (log_q * log_share.exp()).sum(-1)
    return ((log_joint - mixture).mean(0) * log_share.exp()).sum()""",
            [0, 0],
        ),
    },
    "05-6": {
        "logarithm outside": (
            """\
    e = torch.randn(num_draws, 500, 10, generator=generator, dtype=torch.float64)
    w = (-0.5 * (deviation * e) ** 2 + 0.5 * e**2 + math.log(deviation)).sum(-1)
    lower = w.logsumexp(0) - math.log(num_draws)
    upper = 0.5 * ((2 * w).logsumexp(0) - math.log(num_draws))
    return torch.stack([lower.mean(), upper.mean()])""",
            [0],
        ),
        "draws in another order": (
            """\
    z = deviation * torch.randn(500, num_draws, 10, generator=generator, dtype=torch.float64)
    w = (-0.5 * z**2 + 0.5 * (z / deviation) ** 2 + math.log(deviation)).sum(-1)
    upper = 0.5 * ((2 * w).logsumexp(1) - math.log(num_draws))
    return torch.stack([w.mean(), upper.mean()])""",
            [2],
        ),
    },
}
