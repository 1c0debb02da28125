public import SegNetCPU
import SegNetPlatform

/// The ranks that MPI has started. A small library, which `Cluster/` builds, connects to MPI; it is loaded if the environment names it.
///
/// Nothing here depends on MPI; `segnet_ranks.h` is the contract with the library.
public final class MessagePassing: RankGroup {
    public let rank: Int
    public let count: Int
    /// The MPI library's own name, "Open MPI v4.1.4".
    public let name: String

    /// The environment variable that names the library: `segnet-mpi` sets it.
    public static let environmentVariable = "SEGNET_RANKS"

    /// How many seconds a rank that is asked to stop waits for the others before it gives up.
    static let patience = 30.0

    private let functions: Functions

    /// Joins the ranks, if this process was started as one.
    /// - Returns: Nil if the environment names no library.
    /// - Throws: `RankGroupError` if the library cannot be used.
    public static func joined() throws(RankGroupError) -> MessagePassing? {
        guard let path = EnvironmentVariable.text(environmentVariable) else { return nil }
        return try MessagePassing(library: path)
    }

    init(library path: String) throws(RankGroupError) {
        let functions = try Functions(path)
        self.functions = functions
        var (rank, count) = (CInt(0), CInt(1))
        let code = functions.join(&rank, &count) { seconds in
            // If this rank is asked to stop and nobody answers, another rank has gone.
            StopRequest.isAsked && seconds > MessagePassing.patience ? 1 : 0
        }
        guard code == 0 else {
            throw RankGroupError(
                "MPI cannot be used: \(functions.words(code)); start segnet-mpi with this MPI's own mpirun."
            )
        }
        self.rank = Int(rank)
        self.count = Int(count)
        name = functions.text { functions.name($0, $1) }
    }

    public func sum(_ gradients: inout MutableSpan<Float>) throws(RankGroupError) {
        let code = gradients.withUnsafeMutableBufferPointer { functions.sumFloats($0.baseAddress, Int64($0.count)) }
        try check(code)
    }

    public func sum(_ numbers: inout [Double]) throws(RankGroupError) {
        let code = numbers.withUnsafeMutableBufferPointer { functions.sumDoubles($0.baseAddress, Int64($0.count)) }
        try check(code)
    }

    public func broadcast(_ bytes: inout [UInt8]) throws(RankGroupError) {
        var length = Int64(bytes.count)
        try check(withUnsafeMutableBytes(of: &length) { functions.broadcast($0.baseAddress, 8) })
        if bytes.count != length { bytes = [UInt8](repeating: 0, count: Int(length)) }
        guard length > 0 else { return }
        try check(bytes.withUnsafeMutableBytes { functions.broadcast($0.baseAddress, length) })
    }

    /// Waits until all ranks have come here, and leaves them: the last call.
    public func finish() throws(RankGroupError) { try check(functions.finish()) }

    private func check(_ code: CInt) throws(RankGroupError) {
        guard code != 0 else { return }
        throw RankGroupError(
            "rank \(rank) has lost the other ranks (\(functions.words(code))); see their messages, and start them again to continue from the last "
                + "checkpoint."
        )
    }
}

/// The functions of `segnet_ranks.h`. They live as long as the process.
private struct Functions: Sendable {
    typealias GivesUp = @convention(c) (Double) -> CInt
    typealias Join = @convention(c) (UnsafeMutablePointer<CInt>, UnsafeMutablePointer<CInt>, GivesUp) -> CInt
    typealias SumFloats = @convention(c) (UnsafeMutablePointer<Float>?, Int64) -> CInt
    typealias SumDoubles = @convention(c) (UnsafeMutablePointer<Double>?, Int64) -> CInt
    typealias Broadcast = @convention(c) (UnsafeMutableRawPointer?, Int64) -> CInt
    typealias Plain = @convention(c) () -> CInt
    typealias Words = @convention(c) (CInt, UnsafeMutablePointer<CChar>?, CInt) -> Void
    typealias Name = @convention(c) (UnsafeMutablePointer<CChar>?, CInt) -> Void

    let join: Join
    let sumFloats: SumFloats
    let sumDoubles: SumDoubles
    let broadcast: Broadcast
    let finish: Plain
    let name: Name
    private let explain: Words

    private static let version = 1

    init(_ path: String) throws(RankGroupError) {
        // MPI libraries load more parts of themselves later, which look for symbols of the first part: so all symbols are global.
        guard let library = dlopen(path, RTLD_NOW | RTLD_GLOBAL) else {
            let reason = dlerror().map { String(cString: $0) } ?? "for no known reason"
            throw RankGroupError(
                "\(path): cannot be loaded (\(reason)); 'make mpi' builds it, and needs an MPI library: on Debian, libopenmpi-dev and openmpi-bin."
            )
        }
        func function<T>(_ name: String, as type: T.Type) throws(RankGroupError) -> T {
            guard let symbol = dlsym(library, "segnet_ranks_\(name)") else {
                throw RankGroupError(
                    "\(path): has no function 'segnet_ranks_\(name)'; build a matching library with 'make mpi'."
                )
            }
            return unsafeBitCast(symbol, to: type)
        }
        let version = try function("version", as: Plain.self)()
        guard version == Self.version else {
            throw RankGroupError(
                "\(path): has the version \(version), but this program needs \(Self.version); build it again with 'make mpi'."
            )
        }
        join = try function("join", as: Join.self)
        sumFloats = try function("sum_floats", as: SumFloats.self)
        sumDoubles = try function("sum_doubles", as: SumDoubles.self)
        broadcast = try function("broadcast", as: Broadcast.self)
        finish = try function("finish", as: Plain.self)
        name = try function("name", as: Name.self)
        explain = try function("words", as: Words.self)
    }

    func words(_ code: CInt) -> String { text { explain(code, $0, $1) } }

    func text(_ write: (UnsafeMutablePointer<CChar>?, CInt) -> Void) -> String {
        var bytes = [CChar](repeating: 0, count: 512)
        bytes.withUnsafeMutableBufferPointer { write($0.baseAddress, CInt($0.count)) }
        return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
