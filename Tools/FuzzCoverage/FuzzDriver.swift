internal import CLibFuzzer

/// libFuzzer with Swift readers: it makes inputs, sees which code they reach, and goes on with those that reach new code.
enum FuzzDriver {
    /// A reader; libFuzzer's callback is a C function and cannot carry it.
    nonisolated(unsafe) private static var reader: ([UInt8]) -> Void = { _ in }

    /// Runs libFuzzer until it finds a crash or has used its time. It ends the process itself when it finds something.
    /// - Parameters:
    ///   - arguments: The program's name and libFuzzer's options, corpus folders and inputs.
    ///   - reader: Reads an input. A trap in it is a finding.
    /// - Returns: The exit code for the process.
    static func run(_ arguments: [String], reader: @escaping ([UInt8]) -> Void) -> Int32 {
        Self.reader = reader
        var words: [UnsafeMutablePointer<CChar>?] = []
        for argument in arguments { words.append(copy(argument)) }
        words.append(nil)
        return words.withUnsafeMutableBufferPointer { words in
            guard var start = words.baseAddress else { return 1 }
            var count = Int32(arguments.count)
            return LLVMFuzzerRunDriver(&count, &start) { bytes, count in
                FuzzDriver.reader(Array(UnsafeBufferPointer(start: bytes, count: count)))
                return 0
            }
        }
    }

    /// A C string that lives as long as the process.
    private static func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
        let letters = Array(text.utf8CString)
        let memory = UnsafeMutablePointer<CChar>.allocate(capacity: letters.count)
        memory.initialize(from: letters, count: letters.count)
        return memory
    }
}
