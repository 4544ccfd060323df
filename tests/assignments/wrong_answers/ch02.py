WRONG = {
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
}
