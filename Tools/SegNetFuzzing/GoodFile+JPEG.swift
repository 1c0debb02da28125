import SegNetPlatform

extension GoodFile {
    /// Small JPEGs of the kinds that are read differently: gray, with EXIF and restart markers, progressive, CMYK.
    ///
    /// Made once with Pillow 13 from a 24x18 picture of ramps and squares, and kept as text, for a JPEG encoder would be a
    /// dependency here.
    static let jpegs: [GoodFile] = jpegTexts.compactMap { name, text in
        Data(base64Encoded: text, options: .ignoreUnknownCharacters).map {
            GoodFile(format: .jpeg, name: name, bytes: Array($0))
        }
    }

    private static let jpegTexts: [(String, String)] = [
        // Baseline, gray, 24x18.
        (
            "gray.jpg",
            """
            /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKB
            TmCNl4x9lnN+gXz/wAALCAASABgBAREA/8QAFgABAQEAAAAAAAAAAAAAAAAABAMF/8QAGxAAAQQDAAAAAAAAAAAAAAAAEQABAwQTIUH/
            2gAIAQEAAD8AwI6uLhKXHVxcJS46uLhKrHVxcJSo6uLhKXHVxcJU6rNvSXVZt6SqrNvS/9k=
            """
        ),
        // Baseline, colour halved both ways, restart markers, EXIF orientation 6.
        (
            "exif.jpg",
            """
            /9j/4AAQSkZJRgABAQAAAQABAAD/4QA2RXhpZgAATU0AKgAAAAgAAgEOAAIAAAAHAAAAJgESAAMAAAABAAYAAAAAAABzdHJlZXQAAP/b
            AEMAFA4PEg8NFBIQEhcVFBgeMiEeHBwePSwuJDJJQExLR0BGRVBac2JQVW1WRUZkiGVtd3uBgoFOYI2XjH2Wc36BfP/bAEMBFRcXHhoe
            OyEhO3xTRlN8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fP/AABEIABIAGAMBIgACEQEDEQH/
            xAAWAAEBAQAAAAAAAAAAAAAAAAAABAX/xAAbEAABBAMAAAAAAAAAAAAAAAAAAQMEERMhQf/EABgBAAIDAAAAAAAAAAAAAAAAAAQFAAED
            /8QAJREAAAQEBQUAAAAAAAAAAAAAAAQREgECA2ETMTNBgUOCobHw/90ABAAC/9oADAMBAAIRAxEAPwDAbi4uXZW3FxcuzQbi4uXZU3Fx
            cuyT122Tlq+18DMsZEDcXFy7BtNxcXLsA0TeHFr22RU5D2mZWUf/0LYqJvRXFRN6AAKfS7gnLiqKib0ACiujD7cO5ch//9k=
            """
        ),
        // Progressive, colour halved across.
        (
            "progressive.jpg",
            """
            /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKB
            TmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8
            fHz/wgARCAASABgDASEAAhEBAxEB/8QAFwABAQEBAAAAAAAAAAAAAAAAAwACBf/EABgBAAIDAAAAAAAAAAAAAAAAAAMEAAIF/9oADAMB
            AAIQAxAAAAHnsSywn9rTHWG/lplLR7//xAAXEAADAQAAAAAAAAAAAAAAAAAAAQIR/9oACAEBAAEFAlOCnBTgpwU4KcJJJP/EABgRAAMB
            AQAAAAAAAAAAAAAAAAABAgMh/9oACAEDAQE/Ac6JfDOiXwzEf//EAB4RAAEDBAMAAAAAAAAAAAAAAAACE4EBEiLBAzJC/9oACAECAQE/
            AaqtjY83iVVbGx5vET5k4uh//8QAFBABAAAAAAAAAAAAAAAAAAAAMP/aAAgBAQAGPwIf/8QAFBABAAAAAAAAAAAAAAAAAAAAMP/aAAgB
            AQABPyEUkkv/AP/aAAwDAQACAAMAAAAQnDyQ/8QAGBEBAQEBAQAAAAAAAAAAAAAAEQCBEDH/2gAIAQMBAT8QfZVPsq48X//EAB8RAAEC
            BgMAAAAAAAAAAAAAABEAARAhcbHB8TFB8P/aAAgBAgEBPxCtvwCcspG1W34BOWUjcFwe7X//xAAYEAACAwAAAAAAAAAAAAAAAAAAEQEh
            Uf/aAAgBAQABPxDC2YWzC2YWzC2YWyEXRCLohF0f/9k=
            """
        ),
        // CMYK with Adobe's marker.
        (
            "cmyk.jpg",
            """
            /9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAbEhQXFBEbFxYXHhwbIChCKyglJShROj0wQmBVZWRfVV1baniZgWpxkHNbXYW1hpCeo6utq2eA
            vMm6pseZqKuk/8AAFAgAEgAYBEMRAE0RAFkRAEsRAP/EABcAAQEBAQAAAAAAAAAAAAAAAAAFBgT/xAAlEAABAQUIAwAAAAAAAAAAAAAA
            EgQRE0GCAQYUMTZhZJFEUcH/2gAOBEMATQBZAEsAAD8AiMkiRgtjn09yI9CU9vzNMW2SQwWw09yI9CU9vzBaZJDBbDT3Ij0JT2/MGKZJ
            GhwWw09yI9CU9vzBbZJDBbDT3Ij0JT2/MFpkkMFsNPciPQlPb8wYpkkVnWehdfyaPoLbJIOs9C6/k0fQWmSQdZ6F1/Jo+g//2Q==
            """
        ),
    ]
}
