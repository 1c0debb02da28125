/// The service cannot be started with these settings.
public struct ServiceError: Error, Hashable, CustomStringConvertible {
    /// For the user: what was found, what is needed, the next step.
    public let description: String

    public init(_ description: String) { self.description = description }
}
