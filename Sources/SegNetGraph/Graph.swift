package import SegNetNetworks

/// A blob's value at one point of the network: unlike blob names, a value is written once.
package struct ValueID: Hashable, Sendable {
    package var index: Int

    package init(index: Int) { self.index = index }

    /// The network's input.
    package static let input = ValueID(index: 0)
}

extension Array {
    /// The element that belongs to a value, in a list of one element per value.
    package subscript(value: ValueID) -> Element {
        get { self[value.index] }
        set { self[value.index] = newValue }
    }
}

/// Where a value's shape comes from, so that the same graph serves every input size.
package enum ValueOrigin: Hashable, Sendable {
    case input
    case layer(index: Int, output: Int)
    /// The indices of a 2x2 pooling whose layer does not output them.
    case poolingIndices(layer: Int)
}

/// One operation of the graph.
package struct Node: Sendable {
    /// The name of the layer, or of one of the layers that became this node.
    package var name: String
    package var operation: NodeOperation
    package var inputs: [ValueID]
    package var outputs: [ValueID]

    package init(name: String, operation: NodeOperation, inputs: [ValueID], outputs: [ValueID]) {
        self.name = name
        self.operation = operation
        self.inputs = inputs
        self.outputs = outputs
    }

    /// The inputs whose numbers the node reads. The others only lend their size.
    package var dataInputs: [ValueID] { Array(inputs.prefix(operation.dataInputCount ?? inputs.count)) }
}

/// The network as a list of nodes over values that are written once: the same for running and for learning, for every input size and for
/// every processor. It has no layouts, no packed weights and no memory; a processor's own passes add those.
package struct Graph: Sendable {
    package var nodes: [Node] = []
    package private(set) var origins: [ValueOrigin] = []
    /// The values that the caller reads, by blob name.
    package var outputs: [String: ValueID] = [:]
    /// The nodes from here on depend on dropout: they run once for each Monte-Carlo sample, those before only once.
    package var firstSampledNode = 0
    /// Channels of the network's input.
    package let inputChannels: Int

    init(inputChannels: Int) {
        self.inputChannels = inputChannels
        _ = makeValue(.input)
    }

    package mutating func makeValue(_ origin: ValueOrigin) -> ValueID {
        origins.append(origin)
        return ValueID(index: origins.count - 1)
    }

    package func isKept(_ value: ValueID) -> Bool { outputs.values.contains(value) }

    /// The positions of the nodes that read a value.
    package func readers(of value: ValueID) -> [Int] { nodes.indices.filter { nodes[$0].inputs.contains(value) } }

    /// The position of the node that writes a value; nil for the network's input.
    package func writer(of value: ValueID) -> Int? { nodes.firstIndex { $0.outputs.contains(value) } }

    /// The only node that reads a value which the caller does not want; nil if there is none or there are several.
    package func soleReader(of value: ValueID) -> Int? {
        guard !isKept(value) else { return nil }
        let readers = readers(of: value)
        return readers.count == 1 ? readers[0] : nil
    }

    /// The node whose only purpose is to feed `reader` with `value`: nobody else reads the value, and the caller does not want it.
    package func soleWriter(of value: ValueID, for reader: Int) -> Int? {
        soleReader(of: value) == reader ? writer(of: value) : nil
    }

    /// The shape of each value of the graph at the size of `network`, which is the graph's own at any size.
    /// - Throws: `NetworkError` if the network does not fit the size.
    package func shapes(_ network: Network) throws(NetworkError) -> [BlobShape] {
        let shapes = try network.shapes()
        return origins.map { origin in
            switch origin {
            case .input: BlobShape(network.input.shape)
            case .layer(let index, let output): shapes.layers[index].outputs[output]
            case .poolingIndices(let index):
                BlobShape(shapes.layers[index].outputs[0].shape, pooledFrom: shapes.layers[index].inputs[0].shape)
            }
        }
    }

    /// Puts a copy of a value before the nodes that are to read it in its place, at the latest before those that are sampled.
    /// - Returns: The copy.
    @discardableResult
    package mutating func insertCopy(of value: ValueID, named name: String, for readers: [Int], at position: Int)
        -> ValueID
    {
        let copy = makeValue(origins[value])
        for reader in readers { nodes[reader].inputs = nodes[reader].inputs.map { $0 == value ? copy : $0 } }
        nodes.insert(Node(name: name, operation: .copy, inputs: [value], outputs: [copy]), at: position)
        if position <= firstSampledNode { firstSampledNode += 1 }
        return copy
    }

    /// Drops nodes of which nothing is needed.
    mutating func removeDeadNodes() {
        var needed = Set(outputs.values)
        nodes = nodes.reversed().filter { node in
            guard !needed.isDisjoint(with: node.outputs) else { return false }
            needed.formUnion(node.inputs)
            return true
        }.reversed()
    }

    /// The same graph without the numbers of its convolutions.
    package func withoutWeights() -> Graph {
        var copy = self
        for position in copy.nodes.indices {
            guard case .convolution(var convolution) = copy.nodes[position].operation else { continue }
            convolution.weight = .values([])
            copy.nodes[position].operation = .convolution(convolution)
        }
        return copy
    }
}
