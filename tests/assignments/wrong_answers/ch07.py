WRONG = {
    "07-1": {"trusting": ('    return "bcd"', [0]), "half of it": ('    return "b"', [0])},
    "07-2": {
        "unstable": (
            """\
    z = mean + (0.5 * log_var).exp() * noise
    p = torch.sigmoid(z @ weight + bias)
    kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(-1)
    return kl - (x * p.log() + (1 - x) * (1 - p).log()).sum(-1)""",
            [3, 0],
        ),
        "lost 1/2": (
            """\
    logits = (mean + (0.5 * log_var).exp() * noise) @ weight + bias
    kl = (mean**2 + log_var.exp() - 1 - log_var).sum(-1)
    return kl - (x * logits - torch.nn.functional.softplus(logits)).sum(-1)""",
            [0, 2],
        ),
        "log-variance as log-deviation": (
            """\
    logits = (mean + log_var.exp() * noise) @ weight + bias
    kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(-1)
    return kl - (x * logits - torch.nn.functional.softplus(logits)).sum(-1)""",
            [0, 2],
        ),
        "mean over pixels": (
            """\
    logits = (mean + (0.5 * log_var).exp() * noise) @ weight + bias
    kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(-1)
    return kl - (x * logits - torch.nn.functional.softplus(logits)).mean(-1)""",
            [0, 2],
        ),
        "sigmoid twice": (
            """\
    logits = torch.sigmoid((mean + (0.5 * log_var).exp() * noise) @ weight + bias)
    kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(-1)
    return kl - (x * logits - torch.nn.functional.softplus(logits)).sum(-1)""",
            [0, 0],
        ),
    },
    "07-4": {
        "detached": (
            "    return torch.stack([mean, 0.5 * (log_var.exp() - 1)])",
            [0, 0, 1],
        ),
        "in log sigma": (
            """\
    step = (0.5 * log_var).exp() * noise
    slope = (((mean + step) @ weight + bias).sigmoid() - x) @ weight.T
    return torch.stack([slope + mean, slope * step + 0.5 * (log_var.exp() - 1)])""",
            [2, 0, 1],
        ),
        "of the batch's mean": (
            """\
    step = (0.5 * log_var).exp() * noise
    slope = (((mean + step) @ weight + bias).sigmoid() - x) @ weight.T
    by_log_var = 0.5 * slope * step + 0.5 * (log_var.exp() - 1)
    return torch.stack([slope + mean, by_log_var]) / len(x)""",
            [0, 0, 0],
        ),
        "one noise for all": (
            """\
    step = (0.5 * log_var).exp() * noise[0]
    slope = (((mean + step) @ weight + bias).sigmoid() - x) @ weight.T
    by_log_var = 0.5 * slope * step + 0.5 * (log_var.exp() - 1)
    return torch.stack([slope + mean, by_log_var])""",
            [0, 0, 0],
        ),
    },
    "07-5": {
        "own draw included": (
            "    return ((value - value.mean(0))[..., None] * score).mean(0)",
            [0],
        ),
        "no baseline": ("    return (value[..., None] * score).mean(0)", [0]),
    },
    "07-6": {
        "weighted by beta": (
            """\
    vae = load_vae("beta_latent", beta=beta, latent_dim=2).double()
    x = load_digits("binary", dtype=torch.float64).test[:100]
    with torch.no_grad():
        mean, log_var = vae.encode(x)
        found = [elbo_terms(vae, x, 100, generator).beta_objective(beta)]
    for r in (DiagonalNormal(mean, log_var), defensive_mixture(mean, log_var)):
        estimate = importance_log_marginal(x, vae.log_likelihood, r, 1_000, generator)
        found.append(estimate.log_marginal)
    return torch.stack(found).mean(1)""",
            [0],
        ),
        "proposals first": (
            """\
    vae = load_vae("beta_latent", beta=beta, latent_dim=2).double()
    x = load_digits("binary", dtype=torch.float64).test[:100]
    mean, log_var = (t.detach() for t in vae.encode(x))
    found = [
        importance_log_marginal(x, vae.log_likelihood, r, 1_000, generator).log_marginal
        for r in (DiagonalNormal(mean, log_var), defensive_mixture(mean, log_var))
    ]
    elbo = elbo_terms(vae, x, 100, generator).elbo.detach()
    return torch.stack([elbo, *found]).mean(1)""",
            [2],
        ),
    },
}
