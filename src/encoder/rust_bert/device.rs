//! Where and in which number format a model runs.

use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// Where a model runs. Asking for a device that is not there is an error, never a silent fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// The first CUDA device where libtorch sees one, else the CPU.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The CUDA device of this number.
    Cuda(usize),
}

impl Device {
    /// libtorch's device.
    ///
    /// # Errors
    /// When the CUDA device is not there; the message says why.
    pub fn open(self) -> Result<tch::Device> {
        let count = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
        match self {
            Device::Cpu => Ok(tch::Device::Cpu),
            Device::Auto if count > 0 => Ok(tch::Device::Cuda(0)),
            Device::Auto => Ok(tch::Device::Cpu),
            Device::Cuda(number) if number < count => Ok(tch::Device::Cuda(number)),
            Device::Cuda(number) if !tch::utils::has_cuda() => {
                Err(Error::model(format!("cuda:{number} was asked for, but this libtorch runs on the CPU only"))
                    .help("run `make setup CUDA=1`, then `make build`, or use --device cpu"))
            }
            Device::Cuda(number) => {
                Err(Error::model(format!("cuda:{number} was asked for, but libtorch sees {count} CUDA devices"))
                    .help("check the driver with `nvidia-smi`, or use --device cpu"))
            }
        }
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Device::Auto),
            "cpu" => Ok(Device::Cpu),
            "cuda" => Ok(Device::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|n| n.parse().ok())
                .map(Device::Cuda)
                .ok_or_else(|| format!("`{text}` is not auto, cpu or cuda:N")),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Auto => write!(f, "auto"),
            Device::Cpu => write!(f, "cpu"),
            Device::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// Number format of weights and activations; logits always come out as f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    F32,
    /// bfloat16: about twice as fast where the processor has the instructions (AMX, AVX512-BF16), slower elsewhere.
    Bf16,
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "f32" => Ok(Precision::F32),
            "bf16" => Ok(Precision::Bf16),
            _ => Err(format!("`{text}` is not f32 or bf16")),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
        })
    }
}
