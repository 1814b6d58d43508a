"""Convolutions, pooling, resizing."""

from __future__ import annotations

import functools

from parity.atom import Slip
from parity.pair import Pair
from parity.pairs.atoms.common import atom
from parity.samples import normal
from parity.weights import same

_LAYERS = "python/keras/layers/convolutional.py: "
_NN = "python/ops/nn_ops.py: "
_KERNEL = (same("kernel", "conv/kernel"),)
_LINEAR = Slip("the activation is left out", "forward")
_atom = functools.partial(
    atom,
    family="convolutions",
    rules=(same("conv/kernel", "conv/kernel"), same("conv/bias", "conv/bias")),
    taps={"outputs": "conv"},
)
_images = functools.partial(_atom, x=normal(5, 5, 3))
_sequences = functools.partial(_atom, x=normal(6, 3))
_resized = functools.partial(_images, taps={"resized": "resized", "outputs": "conv"})

ROWS: tuple[Pair, ...] = (
    _images(
        "conv2d",
        "tf.layers.conv2d",
        y=normal(3, 3, 4),
        tf1="valid, of stride one, unless told",
        keras="Conv2D",
        source=_LAYERS + "Conv2D",
        slip=_LINEAR,
    ),
    _images(
        "conv2d_strided",
        "tf.nn.conv2d, SAME with a stride",
        y=normal(3, 3, 4),
        rules=_KERNEL,
        tf1="ceil(size / stride) places; what is padded is shared out, the odd one at the end",
        keras='Conv2D(padding="same")',
        source=_NN + "conv2d",
        slip=Slip("the odd one is padded at the beginning", "forward"),
    ),
    _images(
        "contrib_conv2d",
        "tf.contrib.layers.conv2d, slim's",
        y=normal(5, 5, 4),
        rules=(same("Conv/weights", "conv/kernel"), same("Conv/biases", "conv/bias")),
        tf1="SAME and rectified unless told otherwise",
        keras='Conv2D(padding="same", activation="relu")',
        source="contrib/layers/python/layers/layers.py: convolution",
        slip=Slip("the activation is left at Conv2D's, none", "forward"),
    ),
    _sequences(
        "conv1d",
        "tf.layers.conv1d",
        y=normal(4, 4),
        tf1="a convolution over time",
        keras="Conv1D",
        source=_LAYERS + "Conv1D",
        slip=_LINEAR,
    ),
    _sequences(
        "causal_conv1d",
        "tf.layers.conv1d, dilated, padded by hand to be causal",
        y=normal(6, 4),
        tf1="(kernel - 1) dilation zeros before the first step",
        keras='Conv1D(padding="causal", dilation_rate=2)',
        source=_LAYERS + "Conv1D",
        slip=Slip('padding="same", which sees later steps', "forward"),
    ),
    _images(
        "atrous_conv2d",
        "tf.nn.atrous_conv2d",
        y=normal(5, 5, 4),
        rules=_KERNEL,
        tf1="taps of the kernel are `rate` apart",
        keras="Conv2D(dilation_rate=rate)",
        source=_NN + "atrous_conv2d",
        slip=Slip("dilation_rate is left out", "forward"),
    ),
    _images(
        "depthwise_conv2d",
        "tf.nn.depthwise_conv2d",
        y=normal(3, 3, 6),
        rules=_KERNEL,
        tf1="a kernel (h, w, in, multiplier); multiples of a channel are next to each other",
        keras="DepthwiseConv2D(depth_multiplier=multiplier)",
        source="python/ops/nn_impl.py: depthwise_conv2d",
        slip=Slip("channels of a multiple are next to each other", "forward"),
    ),
    _images(
        "separable_conv2d",
        "tf.layers.separable_conv2d",
        y=normal(3, 3, 4),
        rules=(
            same("conv/depthwise_kernel", "conv/depthwise_kernel"),
            same("conv/pointwise_kernel", "conv/pointwise_kernel"),
            same("conv/bias", "conv/bias"),
        ),
        tf1="depthwise, then pointwise, one bias and one activation at the end",
        keras="SeparableConv2D",
        source=_LAYERS + "SeparableConv2D",
        slip=_LINEAR,
    ),
    _images(
        "conv2d_transpose",
        "tf.layers.conv2d_transpose",
        y=normal(10, 10, 4),
        tf1="size stride places",
        keras="Conv2DTranspose",
        source=_LAYERS + "Conv2DTranspose",
        slip=Slip("places are one off, as where the other end is padded", "forward"),
    ),
    _images(
        "conv2d_transpose_output_shape",
        "tf.nn.conv2d_transpose, output_shape",
        y=normal(9, 9, 4),
        rules=_KERNEL,
        tf1="as large as output_shape says: 9, where 5 = ceil(9 / 2); a kernel (h, w, out, in)",
        keras="Conv2DTranspose(output_padding=0)",
        source=_NN + "conv2d_transpose",
        slip=Slip("10 places are made and the last one is cut", "forward"),
    ),
    _images(
        "max_pool",
        "tf.nn.max_pool, SAME",
        y=normal(3, 3, 4),
        taps={"outputs": "pool"},
        tf1="the largest of each window",
        keras='MaxPooling2D(padding="same")',
        source=_NN + "max_pool",
        slip=Slip("the mean of each window", "forward"),
    ),
    _sequences(
        "max_over_time",
        "tf.nn.max_pool over all steps",
        y=normal(4),
        taps={"outputs": "pool"},
        tf1="one window over all steps",
        keras="GlobalMaxPooling1D",
        source=_NN + "max_pool",
        slip=Slip("the mean over all steps", "forward"),
    ),
    _images(
        "avg_pool",
        "tf.nn.avg_pool, SAME",
        y=normal(3, 3, 4),
        taps={"outputs": "pool"},
        tf1="the mean of what a window has of the image",
        keras='AveragePooling2D(padding="same")',
        source=_NN + "avg_pool",
        slip=Slip("zeros around the image count", "forward"),
    ),
    _images(
        "global_mean",
        "tf.reduce_mean over height and width",
        y=normal(4),
        taps={"outputs": "pool"},
        tf1="the mean of a channel",
        keras="GlobalAveragePooling2D",
        source="python/ops/math_ops.py: reduce_mean",
        slip=Slip("the largest of a channel", "forward"),
    ),
    _resized(
        "resize_bilinear",
        "tf.image.resize_bilinear",
        y=normal(10, 10, 4),
        tf1="pixel o is at o image / size",
        keras="keras_v2.resizing.TF1Resizing",
        source="core/kernels/resize_bilinear_op.cc",
        slip=Slip("Resizing: at (o + 1/2) image / size - 1/2", "forward"),
    ),
    _resized(
        "resize_bilinear_aligned",
        "tf.image.resize_bilinear, align_corners",
        y=normal(9, 9, 4),
        tf1="pixel o is at o (image - 1) / (size - 1)",
        keras="keras_v2.resizing.TF1Resizing(align_corners=True)",
        source="core/kernels/resize_bilinear_op.cc",
        slip=Slip("Resizing, which does not align", "forward"),
    ),
    _resized(
        "resize_nearest",
        "tf.image.resize_nearest_neighbor",
        y=normal(8, 8, 4),
        tf1="pixel o is the one at floor(o image / size)",
        keras='keras_v2.resizing.TF1Resizing(interpolation="nearest")',
        source="core/kernels/resize_nearest_neighbor_op.cc",
        slip=Slip("Resizing: the one at floor((o + 1/2) image / size)", "forward"),
    ),
)
