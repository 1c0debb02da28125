internal import SegNetAnnotations
internal import Yams

/// Recipes and plans as nodes.
enum SettingsYAML {
    /// - Parameter failed: Makes the error of a full sentence that begins with its verb.
    static func compose(
        _ yaml: String,
        _ failed: (String) -> ConfigurationError
    ) throws(ConfigurationError) -> Node? {
        if let problem = YAMLAliases.problem(in: yaml) { throw failed(problem) }
        do { return try Yams.compose(yaml: yaml) } catch { throw failed("cannot be read as YAML (\(error)).") }
    }
}
