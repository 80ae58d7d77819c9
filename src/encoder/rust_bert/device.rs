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
                    .help("run `make setup SETUP=--cuda`, then `make build`, or use --device cpu"))
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

/// What the engine on this machine is and can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// Version of libtorch the program was built against.
    pub libtorch: &'static str,
    /// Version of rust-bert.
    pub rust_bert: &'static str,
    /// Kernel libraries libtorch was built with.
    pub kernels: Vec<&'static str>,
    /// CUDA devices it sees.
    pub cuda_devices: usize,
    /// Whether bf16 pays on this processor.
    pub bf16: &'static str,
}

impl Engine {
    /// Asks libtorch and the processor.
    pub fn detect() -> Engine {
        let built = [
            ("MKL", tch::utils::has_mkl()),
            ("oneDNN", tch::utils::has_mkldnn()),
            ("OpenMP", tch::utils::has_openmp()),
            ("CUDA", tch::utils::has_cuda()),
        ];
        Engine {
            libtorch: option_env!("DETENTE_LIBTORCH").unwrap_or("2.4"),
            rust_bert: "0.23",
            kernels: built.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect(),
            cuda_devices: usize::try_from(tch::Cuda::device_count()).unwrap_or(0),
            bf16: bf16_support(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn bf16_support() -> &'static str {
    // The standard library detects AVX512-BF16, which every processor with AMX-BF16 has too.
    if std::arch::is_x86_feature_detected!("avx512bf16") {
        "fast on this processor: use --precision bf16"
    } else {
        "no instructions for it on this processor: f32 is faster"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn bf16_support() -> &'static str {
    "not known for this processor: time both with `make bench`"
}
