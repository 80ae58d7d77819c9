//! Ten thousand resamples over five thousand rows, each in a document of its own: the evaluator's inner loop.

use criterion::{Criterion, criterion_group, criterion_main};
use detente::evaluate::classes::{self, Labelled};
use detente::evaluate::resample::Bootstrap;
use std::hint::black_box;

fn bootstrap(c: &mut Criterion) {
    let rows: Vec<Labelled> =
        (0..5000).map(|at| Labelled { document: at, gold: at % 3, predicted: (at * at + at / 7) % 3 }).collect();
    let mut group = c.benchmark_group("bootstrap");
    group.sample_size(10);
    group.bench_function("10000 resamples of 5000 rows, 17 figures", |b| {
        b.iter(|| classes::score(black_box(&rows), 3, 5000, &Bootstrap::default()));
    });
    group.finish();
}

criterion_group!(benches, bootstrap);
criterion_main!(benches);
