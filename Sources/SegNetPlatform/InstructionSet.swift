package import CSegNetKernels

/// A compiled variant of the kernels: portable, AVX2 + FMA, AVX-512 or NEON.
///
/// Every variant is compiled from the same source and chosen at run time. Results may differ between variants within the
/// numerical contract (`docs/numerics.md`), never between runs of one.
public struct InstructionSet: Sendable, Hashable, CustomStringConvertible {
    /// `portable`, `avx2`, `avx512` or `neon`.
    public let name: String

    /// The variant's kernels: a table of functions, the same for as long as the process lives.
    package var kernels: sn_kernels { Self.table(named: name) ?? sn_kernels_best().pointee }

    public var description: String { name }

    private static func table(named name: String) -> sn_kernels? { sn_kernels_named(name)?.pointee }

    /// The variant with this name.
    /// - Throws: `InstructionSetError` if this machine or this build does not have it.
    public init(named name: String) throws(InstructionSetError) {
        guard Self.table(named: name) != nil else {
            throw InstructionSetError(name: name, available: Self.available.map(\.name))
        }
        self.name = name
    }

    private init(unchecked name: String) { self.name = name }

    /// The fastest variant that this machine has.
    public static var best: InstructionSet {
        InstructionSet(unchecked: String(cString: sn_kernels_best().pointee.name))
    }

    /// All variants that this machine has, slowest first.
    public static var available: [InstructionSet] {
        ["portable", "neon", "avx2", "avx512"].filter { table(named: $0) != nil }.map(InstructionSet.init(unchecked:))
    }
}

/// A table of functions and numbers that never changes.
extension sn_kernels: @retroactive @unchecked Sendable {}

/// An instruction set was asked for that this machine or this build does not have.
public struct InstructionSetError: Error, Hashable, CustomStringConvertible {
    public let name: String
    public let available: [String]

    public var description: String {
        "instruction set '\(name)' is not available here; choose one of \(available.joined(separator: ", "))."
    }
}
