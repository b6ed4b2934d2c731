"""Solution of exercise 21."""

from curriculum.engine import torch


def size_after(n, kernel, stride=1, padding=0):
    return (n + 2 * padding - kernel) // stride + 1


def conv2d(x, weight, bias, stride=1, padding=0):
    batch, channels, height, width = x.shape
    out, _, k, _ = weight.shape
    padded = torch.zeros(batch, channels, height + 2 * padding, width + 2 * padding)
    padded[:, :, padding : padding + height, padding : padding + width] = x
    rows, columns = size_after(height, k, stride, padding), size_after(width, k, stride, padding)
    result = torch.zeros(batch, out, rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            patch = padded[:, :, top : top + k, left : left + k].reshape(batch, -1)
            result[:, :, i, j] = patch @ weight.reshape(out, -1).T + bias
    return result


def window_slope(x, slope, k):
    rows, columns = slope.shape
    result = torch.zeros(k, k, dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            result = result + slope[i, j] * x[i : i + k, j : j + k]
    return result


def multiplications(inputs, outputs, kernel, height, width, stride=1, padding=0):
    rows, columns = size_after(height, kernel, stride, padding), size_after(width, kernel, stride, padding)
    return outputs * rows * columns * inputs * kernel**2
