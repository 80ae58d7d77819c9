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
