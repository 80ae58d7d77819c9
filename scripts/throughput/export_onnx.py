#!/usr/bin/env python3
"""A token classification model as model.onnx (f32) and int8.onnx (dynamic quantization, ONNX Runtime's own).

    python scripts/throughput/export_onnx.py models/entities FOLDER
"""

import sys
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from peer import network

NAMES = ["input_ids", "attention_mask", "token_type_ids"]


def main(model, folder):
    folder.mkdir(parents=True, exist_ok=True)
    # The plain attention: what is exported from the fused one has no name in ONNX.
    plain = network(model, "float32", attn_implementation="eager")
    plain.config.return_dict = False
    example = tuple(torch.ones((2, 8), dtype=torch.long) for _ in NAMES)
    axes = {name: {0: "windows", 1: "pieces"} for name in [*NAMES, "logits"]}
    torch.onnx.export(plain, example, folder / "model.onnx", input_names=NAMES, output_names=["logits"], dynamic_axes=axes, opset_version=17)
    quantize_dynamic(folder / "model.onnx", folder / "int8.onnx", weight_type=QuantType.QInt8)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
