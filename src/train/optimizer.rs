//! AdamW (Loshchilov and Hutter, 2019) with f32 master weights, so that forward and backward may run in bf16,
//! and an optional moving average of the weights (Polyak and Juditsky, 1992).

use super::config::Training;
use tch::{Kind, Tensor, nn};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

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

    pub(crate) fn zero_grad(&mut self) {
        for slot in &mut self.slots {
            slot.weight.zero_grad();
        }
    }

    /// One step at learning rate `rate`; returns the gradient's norm before clipping.
    pub(crate) fn step(&mut self, rate: f64) -> f64 {
        tch::no_grad(|| {
            self.steps += 1;
            let gradients: Vec<Option<Tensor>> = self.slots.iter().map(Slot::gradient).collect();
            let norms: Vec<Tensor> = gradients.iter().flatten().map(Tensor::norm).collect();
            let norm = if norms.is_empty() { 0.0 } else { Tensor::stack(&norms, 0).norm().double_value(&[]) };
            let scale = if norm > self.clip { self.clip / (norm + 1e-6) } else { 1.0 };
            let (steps, average) = (self.steps, self.average);
            for (slot, gradient) in self.slots.iter_mut().zip(gradients) {
                if let Some(mut gradient) = gradient {
                    if scale < 1.0 {
                        gradient *= scale;
                    }
                    slot.update(gradient, rate, steps);
                }
                slot.follow(average, steps);
            }
            norm
        })
    }

    /// Puts the averaged weights into the model, for scoring and saving.
    pub(crate) fn show_average(&mut self) {
        tch::no_grad(|| self.slots.iter_mut().for_each(|s| s.weight.copy_(&s.average)));
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

    fn gradient(&self) -> Option<Tensor> {
        let gradient = self.weight.grad();
        gradient.defined().then(|| gradient.to_kind(Kind::Float))
    }

    /// θ ← θ − η·(m̂ / (√v̂ + ε) + λ·θ), in place and in few passes: for small models memory traffic is what a step costs.
    fn update(&mut self, mut gradient: Tensor, rate: f64, steps: i64) {
        let rate = rate * self.rate;
        let corrected = |beta: f64| 1.0 - beta.powi(i32::try_from(steps).unwrap_or(i32::MAX));
        let _ = self.first_moment.lerp_(&gradient, 1.0 - BETA1);
        let _ = gradient.square_();
        let _ = self.second_moment.lerp_(&gradient, 1.0 - BETA2);
        // −(√v̂ + ε)·(1 − β₁ᵗ)/η, so that m divided by it is the whole change.
        let mut divisor = self.second_moment.sqrt_out(&gradient);
        divisor *= -corrected(BETA1) / (rate * corrected(BETA2).sqrt());
        divisor -= EPSILON * corrected(BETA1) / rate;
        if self.decay > 0.0 {
            self.master *= 1.0 - rate * self.decay;
        }
        let _ = self.master.addcdiv_(&self.first_moment, &divisor);
        self.weight.copy_(&self.master);
    }

    /// Moves the average toward the weight, faster in the first steps so that it forgets the start.
    fn follow(&mut self, decay: f64, steps: i64) {
        if decay > 0.0 {
            let decay = decay.min(steps as f64 / (steps as f64 + 10.0));
            let _ = self.average.lerp_(&self.master, 1.0 - decay);
        }
    }
}
