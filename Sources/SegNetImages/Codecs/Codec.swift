internal import CSegNetCodecs

/// Calls a C function that reports errors in words; nil if it succeeded.
func codecMessage(_ call: (UnsafeMutablePointer<CChar>) -> Int32) -> (code: Int32, text: String)? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(SNC_MESSAGE_BYTES)) { message in
        guard let start = message.baseAddress else { return nil }
        message.initialize(repeating: 0)
        let code = call(start)
        return code == 0 ? nil : (code, String(cString: start))
    }
}

/// Calls a C function that hands out malloc'ed bytes, and takes them over.
func codecBytes(
    _ call: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, UnsafeMutablePointer<Int>) -> Void
) -> [UInt8] {
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = 0
    call(&bytes, &count)
    defer { snc_release(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
}
