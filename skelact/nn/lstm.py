"""Long short-term memory over the frames of a person."""

import torch
from torch import Tensor, nn


class FrameLSTM(nn.RNNBase):
    """LSTM layers on all joints of a frame at once; each frame is answered from those before it.

    Graphs for inference that are compiled or exported take frames one by one in a `scan`, with any
    number of frames; elsewhere the library's LSTM runs, which is faster.

    Args:
        num_joints: N.
        in_channels: C of the input.
        out_channels: D, the size of the memory.
        num_layers: LSTMs, each on the answers of the one before.
        dropout: Share of features zeroed between layers in training.

    Shapes:
        input ``[B, N, C, T]``, output ``[B, 1, D, T]``.

    Source: Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 1997.
    """

    def __init__(
        self, num_joints: int, in_channels: int, out_channels: int, num_layers: int = 1,
        dropout: float = 0.0,
    ):
        super().__init__("LSTM", num_joints * in_channels, out_channels, num_layers,
                         dropout=dropout if num_layers > 1 else 0.0)
        # not as a decorator, which would load the compiler wherever this file is imported
        self._run_apart = torch.compiler.disable(FrameLSTM._run)

    def forward(self, features: Tensor) -> Tensor:
        """Remember frame by frame; ``[B, N, C, T]`` to ``[B, 1, D, T]``."""
        frames = features.permute(3, 0, 1, 2).flatten(2)  # [T, B, N C]
        # a compiled scan has no gradient, so then the graph breaks here; exported ones are traced
        breaks = torch.compiler.is_dynamo_compiling() and torch.is_grad_enabled()
        in_graph = torch.compiler.is_compiling() and not breaks
        if in_graph:
            answers = self._scan(frames)
        else:
            answers = self._run_apart(self, frames) if breaks else self._run(frames)
        return answers.permute(1, 2, 0).unsqueeze(1)

    def _run(self, frames: Tensor) -> Tensor:
        memory = self.weight_hh_l0.new_zeros(self.num_layers, frames.shape[1], self.hidden_size)
        weights = [weight for layer in self.all_weights for weight in layer]
        return torch.lstm(frames, (memory, memory), weights, True, self.num_layers, self.dropout,
                          self.training, False, False)[0]

    def _scan(self, frames: Tensor) -> Tensor:
        from torch._higher_order_ops.scan import scan

        for of_input, of_answer, input_bias, answer_bias in self.all_weights:
            entered = nn.functional.linear(frames, of_input, input_bias + answer_bias)
            memory = of_answer.new_zeros(frames.shape[1], self.hidden_size)

            def step(before: tuple[Tensor, Tensor], entered: Tensor, weight: Tensor = of_answer):
                answer, memory = before
                gates = (entered + nn.functional.linear(answer, weight)).chunk(4, dim=1)
                write, keep, read = (torch.sigmoid(gates[i]) for i in (0, 1, 3))
                memory = keep * memory + write * torch.tanh(gates[2])
                answer = read * torch.tanh(memory)
                return (answer, memory), answer.clone()  # a scan may not give one tensor twice

            frames = scan(step, (memory, memory.clone()), entered, dim=0)[1]
        return frames
