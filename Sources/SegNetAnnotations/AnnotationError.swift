/// Something is wrong with an annotation or its file. The description names the place, what was found, what is needed and what to do.
public struct AnnotationError: Error, Hashable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }

    /// The same error, with the file or the place in it put in front.
    func of(_ place: String) -> AnnotationError { AnnotationError("\(place): \(description)") }
}
