WRONG = {
    "06-1": {
        "all with a full reconstruction": ('    return "abe"', [0]),
        "no grey": ('    return "b"', [0]),
    },
    "06-2": {
        "unstable": (
            """\
    grown = logits.exp()
    return ((grown - 1) / (logits * (grown + 1))).log().sum(1)""",
            [3, 0],
        ),
        "mean over pixels": (
            """\
    size = logits.abs() + 1e-12
    return ((size / 2).tanh() / size).log().mean(1)""",
            [0, 2],
        ),
        "log 2 each": ("    return -math.log(2) * torch.ones_like(logits).sum(1)", [0, 0]),
    },
    "06-4": {
        "unstable": (
            """\
    def bce(p):
        return -(x * p.log() + (1 - x) * (1 - p).log()).sum()

    zero = 0 * mean
    base = loss(x, logits, zero, zero)
    c = (loss(x, logits, mean, log_var) - base) / kl_to_standard_normal(mean, log_var).sum()
    a = (base - loss(x, 0 * logits, zero, zero)) / (
        bce(logits.sigmoid()) - bce((0 * logits).sigmoid())
    )
    return max_count * c / a""",
            [3, 0],
        ),
        "counts forgotten": (
            """\
    zero = 0 * mean
    base = loss(x, logits, zero, zero)
    c = (loss(x, logits, mean, log_var) - base) / kl_to_standard_normal(mean, log_var).sum()
    bce = binary_cross_entropy_with_logits(logits, x, reduction="sum")
    bce = bce - binary_cross_entropy_with_logits(0 * logits, x, reduction="sum")
    return c * bce / (base - loss(x, 0 * logits, zero, zero))""",
            [0, 2],
        ),
        "constant not taken off": (
            """\
    base = loss(x, logits, 0 * mean, 0 * mean)
    c = (loss(x, logits, mean, log_var) - base) / kl_to_standard_normal(mean, log_var).sum()
    bce = binary_cross_entropy_with_logits(logits, x, reduction="sum")
    return max_count * c * bce / base""",
            [0, 0],
        ),
        "as it says on the tin": ("    return torch.tensor(float(max_count))", [0, 0]),
    },
    "06-5": {
        "unstable": (
            """\
    q = torch.distributions.Normal(mean, deviation)
    low = torch.where(counts == 0, 0.0, q.cdf(counts - 0.5))
    high = torch.where(counts == max_count, 1.0, q.cdf(counts + 0.5))
    return (high - low).log().sum(1)""",
            [3, 0],
        ),
        "a density": (
            "    return torch.distributions.Normal(mean, deviation).log_prob(counts).sum(1)",
            [0, 2],
        ),
        "one tail only": (
            """\
    low, high = (counts - 0.5 - mean) / deviation, (counts + 0.5 - mean) / deviation
    low = low.masked_fill(counts == 0, -math.inf)
    high = high.masked_fill(counts == max_count, math.inf)
    low, high = log_ndtr(low), log_ndtr(high)
    return (high + (-torch.expm1(low - high)).log()).sum(1)""",
            [3, 0],
        ),
        "closed ends": (
            """\
    q = torch.distributions.Normal(mean, deviation)
    return (q.cdf(counts + 0.5) - q.cdf(counts - 0.5)).log().sum(1)""",
            [0, 0],
        ),
    },
    "06-6": {
        "maximum likelihood whatever beta": (
            """\
    def given_code(x):
        return binomial_log_likelihood(16 * x, ink.logit()[:, None], 16)

    for _ in range(50):
        q = (share.log() + given_code(digits.train)).softmax(0)
        share = q.mean(1, keepdim=True)
        ink = (q @ digits.train + 0.5) / (q.sum(1, keepdim=True) + 1)
    joint = share.log() + given_code(digits.test)
    q = joint.softmax(0)
    kl = (torch.xlogy(q, q) - q * share.log()).sum(0)
    return torch.stack([joint.logsumexp(0).mean(), kl.mean()])""",
            [0],
        ),
        "written otherwise": (
            """\
    def given_code(x):
        k = 16 * x
        coefficient = math.lgamma(17) - (k + 1).lgamma() - (17 - k).lgamma()
        return ink.log() @ k.T + (1 - ink).log() @ (16 - k).T + coefficient.sum(1)

    def best_q(x):
        power = given_code(x) / beta + share.log()
        weight = (power - power.amax(0)).exp()
        return weight / weight.sum(0)

    for _ in range(50):
        q = best_q(digits.train)
        share = q.mean(1, keepdim=True)
        ink = torch.stack([(k @ digits.train + 0.5) / (k.sum() + 1) for k in q])
    q = best_q(digits.test)
    log_p = torch.logsumexp(share.log() + given_code(digits.test), 0)
    return torch.stack([log_p.mean(), torch.xlogy(q, q / share).sum(0).mean()])""",
            [2],
        ),
    },
}
