//! AdamW (Loshchilov and Hutter, 2019) with f32 master weights, so that forward and backward may run in bf16,
//! and an optional moving average of the weights (Polyak and Juditsky, 1992).

use super::config::Training;
use tch::{Kind, Tensor, nn};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;
/// Numbers updated at a time: the working set of a piece stays in the processor's cache, where whole tensors would pass
/// through memory once for each operation.
const PIECE: i64 = 1 << 16;

/// One parameter with its moments.
pub(crate) struct Slot {
    pub(crate) name: String,
    /// The model's own tensor, in the number format of the run.
    weight: Tensor,
    /// The exact weight.
    pub(crate) master: Tensor,
    pub(crate) first_moment: Tensor,
    pub(crate) second_moment: Tensor,
    /// Moving average of `master`; the same tensor when there is none.
    pub(crate) average: Tensor,
    decay: f64,
    rate: f64,
}

pub(crate) struct AdamW {
    pub(crate) slots: Vec<Slot>,
    pub(crate) steps: i64,
    clip: f64,
    average: f64,
}

impl AdamW {
    /// An optimizer of all trainable variables; call it before the model is turned to bf16, so that masters are exact.
    pub(crate) fn new(parameters: &nn::VarStore, settings: &Training) -> Self {
        let mut variables: Vec<_> = parameters.variables().into_iter().filter(|(_, t)| t.requires_grad()).collect();
        // The order of a hash map would change sums, and with them the last bits.
        variables.sort_by(|a, b| a.0.cmp(&b.0));
        let slots = variables.into_iter().map(|(name, weight)| Slot::new(name, weight, settings)).collect();
        AdamW { slots, steps: 0, clip: settings.clip, average: settings.average }
    }

    /// The model's own tensors, in the order that [`AdamW::step`] wants their gradients in.
    pub(crate) fn weights(&self) -> Vec<&Tensor> {
        self.slots.iter().map(|slot| &slot.weight).collect()
    }

    /// One step at learning rate `rate`; returns the gradient's norm before clipping. An undefined gradient, of a weight
    /// that the loss does not depend on, changes nothing.
    pub(crate) fn step(&mut self, gradients: &[Tensor], rate: f64) -> f64 {
        tch::no_grad(|| {
            self.steps += 1;
            let defined = gradients.iter().filter(|g| g.defined());
            let norms: Vec<Tensor> = defined.map(|g| g.norm_scalaropt_dtype(2, Kind::Float)).collect();
            let norm = if norms.is_empty() { 0.0 } else { Tensor::stack(&norms, 0).norm().double_value(&[]) };
            let scale = if norm > self.clip { self.clip / (norm + 1e-6) } else { 1.0 };
            let (steps, average) = (self.steps, self.average);
            for (slot, gradient) in self.slots.iter_mut().zip(gradients) {
                slot.step(gradient, scale, &StepSize { rate: rate * slot.rate, decay: slot.decay, steps, average });
            }
            norm
        })
    }

    /// Puts the averaged weights into the model, for scoring and saving.
    pub(crate) fn show_average(&mut self) {
        tch::no_grad(|| self.slots.iter_mut().for_each(|s| s.weight.copy_(&s.average)));
    }

    /// Puts the averaged weights into another model of the same shape.
    pub(crate) fn copy_average(&self, parameters: &nn::VarStore) {
        let mut variables = parameters.variables();
        tch::no_grad(|| {
            for slot in &self.slots {
                if let Some(variable) = variables.get_mut(&slot.name) {
                    variable.copy_(&slot.average);
                }
            }
        });
    }

    /// Puts the exact weights back, to go on training.
    pub(crate) fn show_master(&mut self) {
        tch::no_grad(|| self.slots.iter_mut().for_each(|s| s.weight.copy_(&s.master)));
    }
}

impl Slot {
    fn new(name: String, weight: Tensor, settings: &Training) -> Self {
        let master = weight.detach().to_kind(Kind::Float).copy();
        let no_decay = name.ends_with("bias") || name.contains("LayerNorm");
        let is_head = name.starts_with("classifier") || name.starts_with("pre_classifier");
        Slot {
            first_moment: master.zeros_like(),
            second_moment: master.zeros_like(),
            average: if settings.average > 0.0 { master.copy() } else { master.shallow_clone() },
            decay: if no_decay { 0.0 } else { settings.weight_decay },
            rate: if is_head { settings.head_rate } else { 1.0 },
            name,
            weight,
            master,
        }
    }

    fn step(&mut self, gradient: &Tensor, scale: f64, size: &StepSize) {
        let flat = |tensor: &Tensor| tensor.view(-1);
        let mut pieces = Piece {
            weight: flat(&self.weight),
            master: flat(&self.master),
            first_moment: flat(&self.first_moment),
            second_moment: flat(&self.second_moment),
            average: flat(&self.average),
        };
        let gradient = gradient.defined().then(|| gradient.reshape(-1));
        let count = self.master.numel() as i64;
        // A GPU would rather have one large piece than many small ones.
        let step = if self.master.device() == tch::Device::Cpu { PIECE } else { count.max(1) };
        for start in (0..count).step_by(step as usize) {
            let length = step.min(count - start);
            let gradient = gradient.as_ref().map(|g| g.narrow(0, start, length).to_kind(Kind::Float) * scale);
            pieces.narrow(start, length).step(gradient, size);
        }
    }
}

/// What a step is made of besides the gradient.
struct StepSize {
    rate: f64,
    decay: f64,
    steps: i64,
    average: f64,
}

/// A stretch of one parameter and of all that belongs to it.
struct Piece {
    weight: Tensor,
    master: Tensor,
    first_moment: Tensor,
    second_moment: Tensor,
    average: Tensor,
}

impl Piece {
    fn narrow(&mut self, start: i64, length: i64) -> Piece {
        let part = |tensor: &Tensor| tensor.narrow(0, start, length);
        Piece {
            weight: part(&self.weight),
            master: part(&self.master),
            first_moment: part(&self.first_moment),
            second_moment: part(&self.second_moment),
            average: part(&self.average),
        }
    }

    fn step(&mut self, gradient: Option<Tensor>, size: &StepSize) {
        if let Some(gradient) = gradient {
            self.update(gradient, size);
        }
        if size.average > 0.0 {
            // Faster in the first steps, so that the average forgets the start.
            let decay = size.average.min(size.steps as f64 / (size.steps as f64 + 10.0));
            let _ = self.average.lerp_(&self.master, 1.0 - decay);
        }
    }

    /// θ ← θ − η·(m̂ / (√v̂ + ε) + λ·θ), in place.
    fn update(&mut self, mut gradient: Tensor, size: &StepSize) {
        let corrected = |beta: f64| 1.0 - beta.powi(i32::try_from(size.steps).unwrap_or(i32::MAX));
        let _ = self.first_moment.lerp_(&gradient, 1.0 - BETA1);
        let _ = gradient.square_();
        let _ = self.second_moment.lerp_(&gradient, 1.0 - BETA2);
        // −(√v̂ + ε)·(1 − β₁ᵗ)/η, so that m divided by it is the whole change.
        let mut divisor = self.second_moment.sqrt_out(&gradient);
        divisor *= -corrected(BETA1) / (size.rate * corrected(BETA2).sqrt());
        divisor -= EPSILON * corrected(BETA1) / size.rate;
        if size.decay > 0.0 {
            self.master *= 1.0 - size.rate * size.decay;
        }
        let _ = self.master.addcdiv_(&self.first_moment, &divisor);
        self.weight.copy_(&self.master);
    }
}
