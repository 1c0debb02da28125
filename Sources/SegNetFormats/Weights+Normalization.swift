import SegNetNetworks

extension Weights {
    /// Scale and shift of a batch normalisation, y = x * scale + shift, with the statistics folded in if they are kept separately.
    ///
    /// For formats that have no statistics. Where a layer's own numbers will do, they stay where they are.
    func normalization(
        _ layer: String,
        _ kind: BatchNormalization,
        file: String
    ) throws(FormatError) -> (scale: WeightTensor, shift: WeightTensor) {
        guard let scale = self[layer, .scale], let shift = self[layer, .shift] else {
            throw FormatError(file: file, problem: "layer '\(layer)' has no scale and shift")
        }
        guard kind.statistics == .kept else { return (scale, shift) }
        guard let factors = factors(of: layer, kind) else {
            throw FormatError(file: file, problem: "layer '\(layer)' has no mean and variance")
        }
        return (
            WeightTensor(shape: scale.shape, values: factors.scale),
            WeightTensor(shape: shift.shape, values: factors.shift)
        )
    }
}
