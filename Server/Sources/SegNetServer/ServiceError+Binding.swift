internal import NIOCore
internal import SegNetToolkit

extension ServiceError {
    /// Why the server could not listen on an address; nil if the error has another cause.
    init?(binding error: any Error, host: String, port: Int) {
        let advice = "use --host 127.0.0.1 for this machine only, 0.0.0.0 for all networks."
        switch error {
        case let error as IOError where error.errnoCode == EADDRINUSE:
            self.init(
                "port \(port) on \(host) is taken by another program; stop that one, or choose another with --port "
                    + "(0 lets the system choose)."
            )
        case let error as IOError where error.errnoCode == EACCES:
            self.init("port \(port) needs more rights than this user has; choose one from 1024 on with --port.")
        case let error as IOError where error.errnoCode == EADDRNOTAVAIL:
            self.init("'\(host)' is not an address of this machine; \(advice)")
        case is SocketAddressError: self.init("'\(host)' is not an address that can be found; \(advice)")
        default: return nil
        }
    }
}
