/// A setting in which two recipes differ.
public struct RecipeDifference: Sendable, Hashable, CustomStringConvertible {
    /// As `segnet recipe explain` has it, entries of lists counted from 1: `optimizer.momentum`, `datasets[2].share`.
    public var key: String
    /// As in YAML; nil where the setting is left out.
    public var old: String?
    public var new: String?
    /// Why a training cannot go on with the new value; nil if it can.
    public var refusal: String?

    /// `learning-rate 0.01 -> 0.1`
    public var description: String { "\(key) \(old ?? "unset") -> \(new ?? "unset")" }
}
