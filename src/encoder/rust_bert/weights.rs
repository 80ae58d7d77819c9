//! Weight files into a model's parameters, by name.

use crate::error::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tch::{Tensor, nn};

/// Copies the weights of `folder` into `parameters`, but those that `fresh` names; returns the names that were not copied.
///
/// Names are those of Hugging Face. Prefixes of the base model (`bert.`, `roberta.`, …) may be missing in the file,
/// and `gamma`/`beta` stand for `weight`/`bias` in old ones. A token-type table of fewer rows is filled up with its first
/// row, so that a base model can learn new types.
pub(crate) fn load(parameters: &nn::VarStore, folder: &Path, fresh: &dyn Fn(&str) -> bool) -> Result<Vec<String>> {
    let (file, tensors) = read(folder)?;
    let tensors: HashMap<String, Tensor> = tensors.into_iter().map(|(name, t)| (modern_name(&name), t)).collect();
    let mut missing = Vec::new();
    let mut names: Vec<_> = parameters.variables().into_iter().collect();
    names.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, mut parameter) in names {
        match find(&tensors, &name).filter(|_| !fresh(&name)) {
            Some(tensor) => copy(&mut parameter, tensor, &name).map_err(|e| e.in_file(&file))?,
            None => missing.push(name),
        }
    }
    Ok(missing)
}

fn read(folder: &Path) -> Result<(PathBuf, Vec<(String, Tensor)>)> {
    let safetensors = folder.join("model.safetensors");
    let ot = folder.join("rust_model.ot");
    let unreadable = |file: &Path, e: tch::TchError| {
        Error::model(format!("not a readable weight file: {}", e.to_string().lines().next().unwrap_or("")))
            .in_file(file)
    };
    if safetensors.is_file() {
        let tensors = Tensor::read_safetensors(&safetensors).map_err(|e| unreadable(&safetensors, e))?;
        Ok((safetensors, tensors))
    } else if ot.is_file() {
        let tensors = Tensor::load_multi(&ot).map_err(|e| unreadable(&ot, e))?;
        Ok((ot, tensors))
    } else {
        Err(Error::model("neither model.safetensors nor rust_model.ot is there")
            .in_file(folder)
            .help("save the model with `save_pretrained(..., safe_serialization=True)`"))
    }
}

/// Writes `tensors` as safetensors that transformers' `from_pretrained` accepts too: it wants to read that PyTorch's
/// layout is meant.
pub(crate) fn write(tensors: &[(String, Tensor)], file: &Path) -> Result<()> {
    let failed = |said: &dyn std::fmt::Display| Error::io(said.to_string()).in_file(file);
    Tensor::write_safetensors(tensors, file).map_err(|e| failed(&e))?;
    let bytes = std::fs::read(file).map_err(|e| failed(&e))?;
    let marked = marked(&bytes).ok_or_else(|| failed(&"what was written cannot be read back"))?;
    std::fs::write(file, marked).map_err(|e| failed(&e))
}

/// The bytes of a safetensors file with a note in its header: eight bytes of length, JSON padded with spaces, the weights.
fn marked(bytes: &[u8]) -> Option<Vec<u8>> {
    const NOTE: &str = r#"{"__metadata__":{"format":"pt"},"#;
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (header, weights) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let entries = std::str::from_utf8(header).ok()?.trim_end().strip_prefix('{')?;
    let mut header = format!("{NOTE}{entries}").into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    let length = u64::try_from(header.len()).ok()?.to_le_bytes();
    Some([&length, header.as_slice(), weights].concat())
}

fn modern_name(name: &str) -> String {
    name.replace(".gamma", ".weight").replace(".beta", ".bias")
}

fn find<'a>(tensors: &'a HashMap<String, Tensor>, name: &str) -> Option<&'a Tensor> {
    const BASES: [&str; 4] = ["bert.", "distilbert.", "roberta.", "deberta."];
    tensors.get(name).or_else(|| BASES.iter().find_map(|base| tensors.get(name.strip_prefix(base)?)))
}

fn copy(parameter: &mut Tensor, tensor: &Tensor, name: &str) -> Result<()> {
    let (wanted, given) = (parameter.size(), tensor.size());
    let grows = name.ends_with("token_type_embeddings.weight")
        && matches!((wanted.as_slice(), given.as_slice()), (&[w, a], &[g, b]) if w > g && g > 0 && a == b);
    if wanted != given && !grows {
        return Err(Error::model(format!("`{name}` has shape {given:?}, the configuration says {wanted:?}")));
    }
    let tensor = if grows { tensor.narrow(0, 0, 1).expand(&wanted, false) } else { tensor.shallow_clone() };
    tch::no_grad(|| parameter.f_copy_(&tensor)).map_err(|e| Error::model(format!("`{name}`: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    #[test]
    fn weights_come_back_and_say_that_they_are_pytorchs() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("model.safetensors");
        let tensors: Vec<(String, Tensor)> = [("one.weight", 3), ("größe", 5)]
            .map(|(name, n)| (name.into(), Tensor::arange(n, (Kind::Float, tch::Device::Cpu)).to_kind(Kind::Half)))
            .into();
        write(&tensors, &file).unwrap();
        let mut read = Tensor::read_safetensors(&file).unwrap();
        read.sort_by_key(|(_, tensor)| tensor.size());
        assert_eq!(read, tensors);
        let bytes = std::fs::read(&file).unwrap();
        let header = bytes.iter().position(|b| *b == b'}').unwrap();
        assert!(bytes[8..=header].ends_with(br#"{"__metadata__":{"format":"pt"}"#));
        assert_eq!(u64::from_le_bytes(bytes[..8].try_into().unwrap()) % 8, 0);
    }
}
