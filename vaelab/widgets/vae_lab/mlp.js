// Linear, tanh, linear, forward and backward over a batch. Rows are examples.

/** Views of one network's weights within an array of all parameters, as PyTorch orders them. */
function readNetwork(values, start, [inputs, hidden, outputs]) {
  let at = start;
  const layer = (from, to) => {
    const weight = values.subarray(at, (at += from * to));
    const bias = values.subarray(at, (at += to));
    return { weight, bias };
  };
  const layers = [layer(inputs, hidden), layer(hidden, outputs)];
  return { layers, end: at };
}

/** rows x outputs of one layer: input @ weight.T + bias. */
function layerForward({ weight, bias }, input, rows, output) {
  const outputs = bias.length;
  const inputs = weight.length / outputs;
  for (let n = 0; n < rows; n++) {
    for (let o = 0, w = 0; o < outputs; o++) {
      let sum = bias[o];
      for (let i = 0; i < inputs; i++) sum += weight[w++] * input[n * inputs + i];
      output[n * outputs + o] = sum;
    }
  }
  return output;
}

/** Add to `gradient` what the layer's output gradient means for it, and to the input's too. */
function layerBackward({ weight }, gradient, input, outputGradient, rows, inputGradient) {
  const outputs = gradient.bias.length;
  const inputs = weight.length / outputs;
  for (let n = 0; n < rows; n++) {
    for (let o = 0, w = 0; o < outputs; o++) {
      const g = outputGradient[n * outputs + o];
      gradient.bias[o] += g;
      for (let i = 0; i < inputs; i++, w++) {
        gradient.weight[w] += g * input[n * inputs + i];
        if (inputGradient) inputGradient[n * inputs + i] += g * weight[w];
      }
    }
  }
}

/** The hidden units' values are kept, for the way back. */
function networkForward([first, second], input, rows) {
  const hidden = layerForward(first, input, rows, new Float64Array(rows * first.bias.length));
  for (let i = 0; i < hidden.length; i++) hidden[i] = Math.tanh(hidden[i]);
  const output = layerForward(second, hidden, rows, new Float64Array(rows * second.bias.length));
  return { input, hidden, output };
}

/**
 * Backpropagation.
 * @param {object[]} layers
 * @param {object[]} gradient  layers of the same shapes, to which gradients are added
 * @param {object} kept  what networkForward gave
 * @returns {Float64Array}  the gradient with respect to the input
 */
function networkBackward([first, second], gradient, { input, hidden }, outputGradient, rows) {
  const atHidden = new Float64Array(hidden.length);
  layerBackward(second, gradient[1], hidden, outputGradient, rows, atHidden);
  for (let i = 0; i < hidden.length; i++) atHidden[i] *= 1 - hidden[i] * hidden[i]; // tanh'
  const atInput = new Float64Array(input.length);
  layerBackward(first, gradient[0], input, atHidden, rows, atInput);
  return atInput;
}
