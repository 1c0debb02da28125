internal import Yams

extension TrainingConfiguration {
    /// The settings in which this recipe differs from an earlier one, in the order of recipes.
    public func differences(from old: TrainingConfiguration) -> [RecipeDifference] {
        let (before, after) = (old.leaves, leaves)
        let texts = (before: Dictionary(uniqueKeysWithValues: before), after: Dictionary(uniqueKeysWithValues: after))
        let gone = before.map(\.0).filter { texts.after[$0] == nil }
        return (after.map(\.0) + gone).compactMap { key in
            let difference = RecipeDifference(key: key, old: texts.before[key], new: texts.after[key])
            guard difference.old != difference.new else { return nil }
            return RecipeDifference(
                key: key,
                old: difference.old,
                new: difference.new,
                refusal: refusal(of: difference, old)
            )
        }
    }

    /// Why a training that began with another recipe cannot go on with this setting; nil if it can.
    private func refusal(of difference: RecipeDifference, _ old: TrainingConfiguration) -> String? {
        // Entries of lists are all alike: `datasets[2].kind` is `datasets.kind`.
        let key = difference.key.split(separator: ".").map { String($0.prefix { $0 != "[" }) }.joined(separator: ".")
        switch key {
        case "architecture", "width": return "the checkpoint holds the weights of the other network"
        case "inputs", "mean", "scale": return "the network has learnt from other inputs"
        case "size", "augmentation.crop": return "it sets the size of the pictures that the network trains on"
        case "initialization", "model", "encoder": return "it chooses the weights to begin with, and training has begun"
        case "dataset", "datasets.kind": return "pictures and classes come from it"
        case "classes", "datasets.classes": return "the network has learnt the other classes"
        case "folds", "fold", "train-split", "count", "datasets.train", "datasets.count":
            return "it chooses the pictures to learn from, and training has begun"
        case "validation-split", "validation-share", "datasets.val":
            return "it chooses the pictures to validate on, by which the best model so far was chosen"
        case "seed": return "the order of the pictures comes from it, and would show some twice and others never"
        case "optimizer.kind": return "the checkpoint holds what the other optimiser remembers"
        case "metric": return "the best score so far is of the other kind"
        case "average" where old.average == 0: return "the checkpoint has no average of the weights"
        case "batch-size", "accumulate":
            let (before, after) = (old.batchSize * old.accumulate, batchSize * accumulate)
            guard before != after else { return nil }
            return "batch-size times accumulate has to stay \(before), by which steps count; it would be \(after)"
        default: return nil
        }
    }

    /// Every setting that is not a group, by its path.
    private var leaves: [(String, String)] {
        var leaves: [(String, String)] = []
        func add(_ node: Node, _ path: String) {
            switch node {
            case .mapping(let mapping):
                for (key, value) in mapping {
                    let name = key.string ?? ""
                    add(value, path.isEmpty ? name : "\(path).\(name)")
                }
            case .sequence(let entries) where entries.contains { $0.mapping != nil }:
                for (index, entry) in entries.enumerated() { add(entry, "\(path)[\(index + 1)]") }
            default: leaves.append((path, Self.text(node)))
            }
        }
        add(.mapping(node), "")
        return leaves
    }

    private static func text(_ node: Node) -> String {
        if let entries = node.sequence { return "[\(entries.map(text).joined(separator: ", "))]" }
        return node.scalar?.string ?? ""
    }
}
