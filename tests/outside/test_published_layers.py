"""Published numbers of other people's layers and networks, with their inputs: our pairs give the same.

Tests of CMU's dlsyscourse (needle, hw2, tests/hw2/test_nn_and_optim.py) print six or seven digits of float32; notebooks
of Stanford CS231n eight or more of float64. Both draw their inputs from NumPy's legacy generator, which is frozen.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import course
from course.lessons.mlp import Layer, Mlp
from course.lessons.normalization import Running
from solutions.linear_and_activations import affine_bwd, affine_fwd, relu_bwd, relu_fwd
from solutions.losses import softmax_cross_entropy_bwd, softmax_cross_entropy_fwd
from solutions.mlp import mlp_bwd, mlp_fwd, mlp_loss_fwd
from solutions.normalization import batch_norm_bwd, batch_norm_fwd, layer_norm_bwd, layer_norm_fwd

FLOAT32 = {"rtol": 1e-5, "atol": 1e-5}
"""As near as needle's own tests ask."""


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def drawn(*shape, low=0, high=100):
    """Whole numbers as needle's tests draw them: a shape is its own seed."""
    return np.random.RandomState(np.prod(shape) * len(shape)).randint(low, high, size=shape)


def tensor(*shape):
    return drawn(*shape) / 20


def linear(rng, d_in, d_out):
    """A layer with needle's first weights and biases, each uniform with the variance 2 / fan-in, in float32."""

    def uniform(fan_in, size):
        return np.float32(rng.rand(fan_in, size)) * 2.0 * np.sqrt(6 / fan_in) - np.sqrt(6 / fan_in)

    return Layer(uniform(d_in, d_out), uniform(d_out, 1)[:, 0])


def test_needle_s_relu_under_a_sum_of_squares():
    y, residuals = relu_fwd(jnp.asarray(tensor(3, 2)))
    (x_bar,) = relu_bwd(residuals, 2 * y)
    np.testing.assert_allclose(x_bar, [[7.5, 2.7], [0.6, 0.2], [0.3, 6.7]], **FLOAT32)


def test_needle_s_linear_layer_under_a_sum_of_squares():
    w, _ = linear(np.random.RandomState(199), 10, 5)
    y, residuals = jax.jit(affine_fwd)(tensor(3, 10), w, tensor(5))
    published = [
        [7.763089, 10.086785, 0.380316, 6.242502, 6.944664],
        [2.548275, 7.747925, 5.343155, 2.065694, 9.871243],
        [2.871696, 7.466332, 4.236925, 2.461897, 8.209476],
    ]
    np.testing.assert_allclose(y, published, **FLOAT32)
    x_bar = jax.jit(affine_bwd)(residuals, 2 * y)[0]
    published = [
        [24.548800, 8.775347, 4.387898, -21.248514, -3.9669373, 24.256767, 6.3171115, 6.029777, 0.8809935, 3.5995162],
        [
            12.233745,
            -3.792646,
            -4.1903896,
            -5.106719,
            -12.004269,
            11.967942,
            11.939469,
            19.314493,
            10.631226,
            14.510731,
        ],
        [12.920014, -1.4545978, -3.0892954, -6.762379, -9.713004, 12.523148, 9.904757, 15.442993, 8.044141, 11.4106865],
    ]
    np.testing.assert_allclose(x_bar, published, **FLOAT32)


def test_needle_s_two_linear_layers_under_a_sum():
    rng = np.random.RandomState(42)
    params = Mlp([linear(rng, 5, 8), linear(rng, 8, 5)])
    y, residuals = jax.jit(mlp_fwd)(params, tensor(3, 5))
    published = [
        [3.296263, 0.057031, 2.97568, -4.618432, -0.902491],
        [2.465332, -0.228394, 2.069803, -3.772378, -0.238334],
        [3.04427, -0.25623, 3.848721, -6.586399, -0.576819],
    ]
    np.testing.assert_allclose(y, published, **FLOAT32)
    _, x_bar = jax.jit(mlp_bwd)(residuals, np.ones((3, 5)))
    one, other = [0.802697, -1.0971, 0.120842, 0.033051, 0.241105], [-0.364489, 0.651385, 0.482428, 0.925252, -1.233545]
    np.testing.assert_allclose(x_bar, [one, other, one], **FLOAT32)


def test_needle_s_softmax_loss():
    loss, residuals = jax.jit(softmax_cross_entropy_fwd)(tensor(3, 11), drawn(3, high=11))
    np.testing.assert_allclose(loss, 3.3196716, **FLOAT32)
    logits_bar, _ = jax.jit(softmax_cross_entropy_bwd)(residuals, 1.0)
    published = """
        0.0027466794 0.020295369 0.012940894 0.04748398 0.052477922 0.090957515 0.0028875037 0.012940894 0.040869843
        0.04748398 -0.33108455
        0.0063174255 0.001721699 0.09400159 0.0034670753 0.038218185 0.009424488 0.0042346967 0.08090791 -0.29697907
        0.0044518122 0.054234188
        0.14326698 0.002624026 0.0032049934 0.01176007 0.045363605 0.0043262867 0.039044812 0.017543964 0.0037236712
        -0.3119051 0.04104668
    """
    np.testing.assert_allclose(np.ravel(logits_bar), [float(number) for number in published.split()], **FLOAT32)


@pytest.mark.parametrize(
    "shape, published",
    [
        ((1, 5), [[0.150192, 0.702322, -3.321343, 0.31219, 2.156639]]),
        (
            (2, 10),
            [
                [
                    *(-2.301574, 4.353944, -1.9396116, 2.4330146, -1.1070801),
                    *(0.01571643, -2.209449, 0.49513134, -2.261348, 2.5212562),
                ],
                [
                    *(-9.042961, -2.6184766, 4.5592957, -4.2109876, 3.4247458),
                    *(-1.9075732, -2.2689414, 2.110825, 5.044025, 4.910048),
                ],
            ],
        ),
    ],
    ids=str,
)
def test_needle_s_layer_norm_under_a_sum_of_fourth_powers(shape, published):
    ones = np.ones(shape[-1])
    y, residuals = jax.jit(layer_norm_fwd)(tensor(*shape), ones, 0 * ones)
    x_bar = jax.jit(layer_norm_bwd)(residuals, 4 * y**3)[0]
    np.testing.assert_allclose(x_bar, published, **FLOAT32)


def test_needle_s_batch_norm():
    """Its backward pass is tested under a sum of squares alone, of which nothing comes back but rounding errors."""
    scale, bias = (np.random.RandomState(4 * seed).randint(0, 100, 4) / 20 for seed in (42, 1337))
    fwd = jax.jit(batch_norm_fwd)
    ones = np.ones(4)
    (y, _), _ = fwd(tensor(4, 4), ones, 0 * ones, Running(0 * ones, ones))
    published = [
        [0.78712696, -0.31676728, -0.64885163, 0.20828949],
        [-0.0079508079, 1.0092355, 1.6221288, 0.8520931],
        [0.8507331, -1.4954363, -9.67e-8, -1.6852506],
        [-1.6299094, 0.80296844, -0.97327745, 0.62486827],
    ]
    np.testing.assert_allclose(y, published, **FLOAT32)
    (y, _), _ = fwd(tensor(4, 4), scale, bias, Running(0 * ones, ones))
    published = [
        [7.49529, 0.047213316, 2.690084, 5.5227957],
        [4.116209, 3.8263211, 7.79979, 7.293256],
        [7.765616, -3.3119934, 4.15, 0.31556034],
        [-2.7771149, 3.23846, 1.9601259, 6.6683874],
    ]
    np.testing.assert_allclose(y, published, **FLOAT32)


def test_needle_s_running_statistics():
    running, ones = Running(np.zeros(3), np.ones(3)), np.ones(3)
    step = jax.jit(lambda *given: batch_norm_fwd(*given)[0][1])
    for seed in range(10):
        x = np.random.RandomState(4 * 3 * 2 * seed).randint(0, 100, (4, 3)) / 20
        running = step(x, ones, 0 * ones, running)
    np.testing.assert_allclose(running.mean, [2.020656, 1.69489, 1.498846], **FLOAT32)
    np.testing.assert_allclose(running.variance, [1.412775, 1.386191, 1.096604], **FLOAT32)


def batch_normalised(h, scale, bias):
    """By the batch alone: what training does with the state makes no difference to its loss."""
    return course.as_jax(batch_norm_fwd, batch_norm_bwd)(h, scale, bias, Running(0 * bias, 0 * bias))[0]


@pytest.mark.parametrize(
    "norm, rate, published",
    [
        (batch_normalised, 0.001, 3.296256),
        (course.as_jax(layer_norm_fwd, layer_norm_bwd), 0.01, 2.82192),
    ],
    ids=["batch", "layer"],
)
def test_a_training_with_a_norm_ends_at_the_loss_that_needle_s_tests_expect(norm, rate, published):
    """32 steps of Adam, with a decay as strong as the rate that is L2."""
    rng = np.random.RandomState(42)
    params = (linear(rng, 64, 32), (np.ones(32), np.zeros(32)), linear(rng, 32, 16))
    params = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), params)
    images, labels = tensor(1024, 64).reshape(32, 32, 64), drawn(1024, high=16).reshape(32, 32)
    optimizer = optax.chain(optax.add_decayed_weights(rate), optax.adam(rate))

    def loss_of(params, x, labels):
        first, (scale, bias), last = params
        h = norm(jax.nn.relu(x @ first.w + first.b), scale, bias)
        return optax.softmax_cross_entropy_with_integer_labels(h @ last.w + last.b, labels).mean()

    def step(carry, batch):
        params, state = carry
        loss, grads = jax.value_and_grad(loss_of)(params, *batch)
        updates, state = optimizer.update(grads, state, params)
        return (optax.apply_updates(params, updates), state), loss

    run = jax.jit(lambda params, *batches: jax.lax.scan(step, (params, optimizer.init(params)), batches)[1])
    np.testing.assert_allclose(run(params, images, labels)[-1], published, rtol=1e-6)


def test_cs231n_s_softmax_of_one_example():
    """The picture in "Linear classification": the loss of three scores, in nats."""
    loss, _ = softmax_cross_entropy_fwd(jnp.array([[-2.85, 0.86, 0.28]]), jnp.array([2]))
    assert float(loss) == pytest.approx(1.04, abs=5e-3)


def squared_weights(params):
    return sum(np.sum(layer.w**2) for layer in params.layers)


def test_cs231n_s_toy_network():
    """Assignment 1 of 2020, two_layer_net.ipynb: the scores, and the loss with 0.05 of every weight squared."""
    rng = np.random.RandomState(0)
    params = Mlp([Layer(0.1 * rng.randn(4, 10), np.zeros(10)), Layer(0.1 * rng.randn(10, 3), np.zeros(3))])
    x, labels = 10 * np.random.RandomState(1).randn(5, 4), np.array([0, 1, 2, 2, 1])
    published = [
        [-0.81233741, -1.27654624, -0.70335995],
        [-0.17129677, -1.18803311, -0.47310444],
        [-0.51590475, -1.01354314, -0.8504215],
        [-0.15419291, -0.48629638, -0.52901952],
        [-0.00618733, -0.12435261, -0.15226949],
    ]
    np.testing.assert_allclose(jax.jit(mlp_fwd)(params, x)[0], published, atol=5.1e-9)
    loss, _ = jax.jit(mlp_loss_fwd)(params, x, labels)
    assert float(loss) + 0.05 * squared_weights(params) == pytest.approx(1.30378789133, abs=1e-11)


def test_cs231n_s_network_of_evenly_spaced_numbers():
    """Assignment 2 of 2020, FullyConnectedNets.ipynb: the scores, the loss, and the loss with weight decay."""
    first = Layer(np.linspace(-0.7, 0.3, 250).reshape(5, 50), np.linspace(-0.1, 0.9, 50))
    last = Layer(np.linspace(-0.3, 0.4, 350).reshape(50, 7), np.linspace(-0.9, 0.1, 7))
    params, x = Mlp([first, last]), np.linspace(-5.5, 4.5, 15).reshape(5, 3).T
    published = [
        [11.53165108, 12.2917344, 13.05181771, 13.81190102, 14.57198434, 15.33206765, 16.09215096],
        [12.05769098, 12.74614105, 13.43459113, 14.1230412, 14.81149128, 15.49994135, 16.18839143],
        [12.58373087, 13.20054771, 13.81736455, 14.43418138, 15.05099822, 15.66781506, 16.2846319],
    ]
    np.testing.assert_allclose(jax.jit(mlp_fwd)(params, x)[0], published, atol=5.1e-9)
    loss, _ = jax.jit(mlp_loss_fwd)(params, x, np.array([0, 5, 1]))
    assert float(loss) == pytest.approx(3.4702243556, abs=5.1e-11)
    assert float(loss) + 0.5 * squared_weights(params) == pytest.approx(26.5948426952, abs=5.1e-11)
