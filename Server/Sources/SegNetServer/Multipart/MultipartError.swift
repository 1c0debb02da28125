/// A form cannot be read.
package struct MultipartError: Error, Hashable, CustomStringConvertible {
    /// What is wrong with the form, as part of a sentence.
    package let reason: String

    init(_ reason: String) { self.reason = reason }

    /// For the client.
    package var description: String {
        "The form cannot be read: \(reason). Send multipart/form-data with a file part named 'image'."
    }
}
