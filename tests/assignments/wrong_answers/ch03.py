WRONG = {
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
}
