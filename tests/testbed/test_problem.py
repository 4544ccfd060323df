"""Counts of evaluations and gradients: held against what was asked for, and against flops."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from vaelab.estimators.annealed import annealed_log_marginal
from vaelab.estimators.annealing import linear_betas
from vaelab.estimators.importance import importance_log_marginal
from vaelab.estimators.proposals import StandardNormal
from vaelab.models.vae import VAE
from vaelab.testbed import CountedLikelihood, Problem


def frozen_vae(hidden: int = 5) -> VAE:
    generator = torch.Generator().manual_seed(0)
    return VAE(2, hidden, 64, generator=generator).double().requires_grad_(False)


def images(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.bernoulli(torch.full((count, 64), 0.5, dtype=torch.float64), generator=generator)


def test_value_and_gradient_are_the_likelihoods_own() -> None:
    vae, x = frozen_vae(), images(3)
    z = torch.randn(4, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    z.requires_grad_()
    counted = CountedLikelihood(vae.log_likelihood)

    value, plain = counted(x, z), vae.log_likelihood(x, z)

    assert torch.equal(value, plain)
    gradients = [torch.autograd.grad(one.sum(), z)[0] for one in (value, plain)]
    assert torch.equal(*gradients)


def test_shared_latents_count_for_every_image() -> None:
    counted = CountedLikelihood(frozen_vae().log_likelihood)

    counted(images(3), torch.zeros(7, 1, 2, dtype=torch.float64))

    assert (counted.evaluations, counted.gradients, counted.cost) == (21, 0, 21)


def test_an_evaluation_without_its_gradient_counts_once() -> None:
    counted = CountedLikelihood(frozen_vae().log_likelihood)
    z = torch.zeros(7, 3, 2, dtype=torch.float64, requires_grad=True)

    counted(images(3), z)
    with torch.no_grad():
        counted(images(3), z)

    assert (counted.evaluations, counted.gradients) == (42, 0)


def test_one_z_used_twice_counts_each_call_once() -> None:
    counted = CountedLikelihood(frozen_vae().log_likelihood)
    z = torch.zeros(7, 3, 2, dtype=torch.float64, requires_grad=True)

    (counted(images(3), z) + counted(images(3), z)).sum().backward()

    assert (counted.evaluations, counted.gradients, counted.cost) == (42, 42, 84)


def test_only_the_call_that_a_gradient_goes_back_through_counts_it() -> None:
    counted = CountedLikelihood(frozen_vae().log_likelihood)
    z = torch.zeros(7, 3, 2, dtype=torch.float64, requires_grad=True)

    value, _ = counted(images(3), z), counted(images(3), z)
    torch.autograd.grad(value.sum(), z)

    assert (counted.evaluations, counted.gradients) == (42, 21)


def test_second_derivatives_count_every_pass() -> None:
    counted = CountedLikelihood(frozen_vae().log_likelihood)
    z = torch.zeros(1, 3, 2, dtype=torch.float64, requires_grad=True)

    (slope,) = torch.autograd.grad(counted(images(3), z).sum(), z, create_graph=True)
    for part in slope.unbind(-1):
        torch.autograd.grad(part.sum(), z, retain_graph=True)

    assert (counted.evaluations, counted.gradients) == (3, 3 + 2 * 3)


def test_a_gradient_takes_as_many_flops_as_its_evaluation() -> None:
    vae, x = frozen_vae(hidden=32), images(3)
    z = torch.zeros(50, 3, 2, dtype=torch.float64, requires_grad=True)

    with FlopCounterMode(display=False) as forward:
        value = vae.log_likelihood(x, z)
    with FlopCounterMode(display=False) as backward:
        torch.autograd.grad(value.sum(), z)

    assert forward.get_total_flops() > 50 * 3 * 32 * 64
    assert backward.get_total_flops() == forward.get_total_flops()


def test_importance_sampling_is_counted_to_the_draw() -> None:
    x, counted = images(3), CountedLikelihood(frozen_vae().log_likelihood)
    problem = Problem(x, x[:, :2], x[:, :2], counted)

    importance_log_marginal(x, problem.log_likelihood, StandardNormal(2), 1234)

    assert problem.latent_dim == 2
    assert (counted.evaluations, counted.gradients) == (3 * 1234, 0)
    assert problem.spent == 1234


def test_annealing_is_counted_as_it_counts_itself() -> None:
    x, counted = images(3), CountedLikelihood(frozen_vae().log_likelihood)

    estimate = annealed_log_marginal(
        x, counted, StandardNormal(2), linear_betas(5), num_chains=7, step_sizes=0.3, num_leapfrog=2
    )

    assert counted.evaluations == counted.gradients == estimate.num_evaluations
    assert estimate.num_evaluations == 3 * 7 * (1 + 4 * 2)
