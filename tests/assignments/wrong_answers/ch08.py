WRONG = {
    "08-1": {"trusting": ('    return "abc"', [0]), "half of it": ('    return "b"', [0])},
    "08-2": {
        "without logarithms": (
            """\
    runs = log_weights.exp().mean(1).log()
    return torch.stack([runs.mean(0), runs.std(0) / math.sqrt(len(runs))])""",
            [2, 1, 0],
        ),
        "ELBO": (
            """\
    runs = log_weights.mean(1)
    return torch.stack([runs.mean(0), runs.std(0) / math.sqrt(len(runs))])""",
            [0, 0, 0],
        ),
        "sum": (
            """\
    runs = log_weights.logsumexp(1)
    return torch.stack([runs.mean(0), runs.std(0) / math.sqrt(len(runs))])""",
            [0, 1, 2],
        ),
        "spread of the runs": (
            """\
    runs = log_weights.logsumexp(1) - math.log(log_weights.shape[1])
    return torch.stack([runs.mean(0), runs.std(0)])""",
            [2, 0, 2],
        ),
    },
    "08-4": {
        "unstable": (
            """\
    d = weight.shape[1]
    P = weight.T @ weight / noise_var + torch.eye(d, dtype=weight.dtype)
    first = 0.5 * (P.diagonal().log().sum() - torch.linalg.det(P).log())
    u = P.diagonal() * log_var.exp()
    second = 0.5 * (((shift @ P) * shift).sum(1) + (u - 1 - u.log()).sum(1))
    return torch.stack([first.expand(len(shift)), second])""",
            [3, 0],
        ),
        "lost 1/2": (
            """\
    d = weight.shape[1]
    P = weight.T @ weight / noise_var + torch.eye(d, dtype=weight.dtype)
    first = P.diagonal().log().sum() - torch.linalg.slogdet(P).logabsdet
    u = P.diagonal() * log_var.exp()
    second = ((shift @ P) * shift).sum(1) + (u - 1 - u.log()).sum(1)
    return torch.stack([first.expand(len(shift)), second])""",
            [0, 2],
        ),
        "swapped": (
            """\
    d = weight.shape[1]
    P = weight.T @ weight / noise_var + torch.eye(d, dtype=weight.dtype)
    first = 0.5 * (P.diagonal().log().sum() - torch.linalg.slogdet(P).logabsdet)
    u = P.diagonal() * log_var.exp()
    second = 0.5 * (((shift @ P) * shift).sum(1) + (u - 1 - u.log()).sum(1))
    return torch.stack([second, first.expand(len(shift))])""",
            [0, 2],
        ),
        "zeros": ("    return torch.zeros(2, len(shift)).double()", [0, 0]),
    },
    "08-5": {
        "unpaired": (
            """\
    first, second = log_p - best.mean(0), best.mean(0) - encoder.mean(0)
    error = torch.hypot(best.std(0), encoder.std(0)) / math.sqrt(len(best))
    return torch.stack([first, second, error])""",
            [0],
        ),
        "swapped": (
            """\
    pairs = best - encoder
    error = pairs.std(0) / math.sqrt(len(pairs))
    return torch.stack([pairs.mean(0), log_p - best.mean(0), error])""",
            [0],
        ),
    },
    "08-6": {
        "weighted by beta": (
            """\
    vae = load_vae("beta_latent", beta=beta, latent_dim=2).double()
    x = load_digits("binary", dtype=torch.float64).test[:100]
    def elbo(mean, log_var, draws):
        noise = torch.randn(draws, 100, 2, generator=generator, dtype=torch.float64)
        z = mean + torch.exp(0.5 * log_var) * noise
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)
        return (vae.log_likelihood(x, z) - beta * kl).mean()
    start = [t.detach() for t in vae.encode(x)]
    q = [t.clone().requires_grad_() for t in start]
    optimiser = torch.optim.Adam(q, lr=0.03)
    for _ in range(steps):
        optimiser.zero_grad()
        (-elbo(*q, 8)).backward()
        optimiser.step()
    return torch.stack([elbo(*start, 200), elbo(*q, 200)]).detach()""",
            [0],
        ),
        "summed over digits, and noise drawn in another order": (
            """\
    vae = load_vae("beta_latent", beta=beta, latent_dim=2).double()
    x = load_digits("binary", dtype=torch.float64).test[:100]
    def elbo(mean, log_var, draws):
        noise = torch.randn(100, 2, draws, generator=generator, dtype=torch.float64)
        z = mean + torch.exp(0.5 * log_var) * noise.permute(2, 0, 1)
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)
        return (vae.log_likelihood(x, z) - kl).mean(0)
    start = [t.detach() for t in vae.encode(x)]
    q = [t.clone().requires_grad_() for t in start]
    optimiser = torch.optim.Adam(q, lr=0.03)
    for _ in range(steps):
        optimiser.zero_grad()
        (-elbo(*q, 8).sum()).backward()
        optimiser.step()
    return torch.stack([elbo(*start, 200).mean(), elbo(*q, 200).mean()]).detach()""",
            [2],
        ),
    },
}
