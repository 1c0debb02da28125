/// Something is wrong with an annotation or its file: which, what was found, what is wanted, what to do.
public struct AnnotationError: Error, Hashable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }

    /// The same about a file, or a place in it.
    func of(_ place: String) -> AnnotationError { AnnotationError("\(place): \(description)") }
}
