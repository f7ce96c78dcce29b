"""Files of JLD2, as the package writes them: made from HDF5's file format specification 3.0, from a file of JLD2 0.4 and,
for the types that list all their fields, from what the sources of JLD2 0.5 say, apart from Figment's own reader."""

import struct

import numpy

from flux_values import Function, NamedTuple, Struct, Symbol, fields_of, type_of


def lookup3(data):
    """Bob Jenkins's checksum, as HDF5 has it."""
    mask = 0xFFFFFFFF

    def turn(word, bits):
        return (word << bits | word >> (32 - bits)) & mask

    a = b = c = (0xDEADBEEF + len(data)) & mask
    if not data:
        return c
    while True:
        words = struct.unpack("<3I", data[:12].ljust(12, b"\0"))
        a, b, c = (a + words[0]) & mask, (b + words[1]) & mask, (c + words[2]) & mask
        if len(data) <= 12:
            break
        data = data[12:]
        for bits in (4, 6, 8, 16, 19, 4):
            a = ((a - c) & mask) ^ turn(c, bits)
            c = (c + b) & mask
            a, b, c = b, c, a
    for bits in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - turn(b, bits)) & mask
        a, b, c = b, c, a
    return b


NO_ADDRESS = 0xFFFFFFFFFFFFFFFF
BASE = 512


def text_type():
    return bytes([0x39, 0x11, 0x01, 0]) + struct.pack("<I", 16) + number_type("u1")


def number_type(code):
    """HDF5's description of NumPy's type: i8, u1, f2, f4, f8; b1 is Bool."""
    size = int(code[1])
    if code[0] == "f":
        fields = {2: (15, 10, 5, 10, 15), 4: (31, 23, 8, 23, 127), 8: (63, 52, 11, 52, 1023)}[size]
        return struct.pack("<BBBBIHHBBBBI", 0x31, 0x20, fields[0], 0, size, 0, 8 * size, fields[1], fields[2], 0,
                           fields[3], fields[4])
    return struct.pack("<BBBBIHH", 0x34 if code[0] == "b" else 0x30, 8 if code[0] == "i" else 0, 0, 0, size, 0,
                       8 * size)


REFERENCE = bytes([0x37, 0, 0, 0]) + struct.pack("<I", 8)
EMPTY = bytes([0x35, 0, 0, 0]) + struct.pack("<I", 1)
SCALAR = bytes([2, 0, 0, 0])


def simple(extents):
    return bytes([2, len(extents), 0, 1]) + b"".join(struct.pack("<Q", extent) for extent in extents)


class Jld2Writer:
    """`lists_fields`: types name all their fields, those that hold nothing as well, as JLD2 0.5 does."""

    def __init__(self, lists_fields=False):
        self.lists_fields = lists_fields
        self.data = bytearray(48)
        self.heap_at, self.heap_used, self.heap_index = None, 0, 0
        self.committed = {}  # Julia's type -> (address, description)
        self.types = []
        self.objects = {}
        self.data_type()

    # Structures

    def add(self, content):
        address = len(self.data)
        self.data += content
        return address

    def message(self, kind, content, flags=0):
        return struct.pack("<BHB", kind, len(content), flags) + content

    def header(self, messages):
        body = b"".join(messages)
        wide = len(body) > 255
        head = b"OHDR\x02" + (struct.pack("<BH", 1, len(body)) if wide else struct.pack("<BB", 0, len(body))) + body
        return head + struct.pack("<I", lookup3(head))

    def heap(self, content, count):
        """The 16 bytes that stand for a value of variable length."""
        if count == 0:
            return bytes(16)
        room = 16 + (len(content) + 7) // 8 * 8
        if self.heap_at is None or self.heap_used + room > 4096:
            assert room <= 4080
            self.heap_at, self.heap_used, self.heap_index = self.add(bytes(4096)), 16, 0
            struct.pack_into("<4sB3xQ", self.data, self.heap_at, b"GCOL", 1, 4096)
        self.heap_index += 1
        at = self.heap_at + self.heap_used
        struct.pack_into("<HHIQ", self.data, at, self.heap_index, 1, 0, len(content))
        self.data[at + 16:at + 16 + len(content)] = content
        self.heap_used += room
        if self.heap_used + 16 <= 4096:
            struct.pack_into("<HHIQ", self.data, self.heap_at + self.heap_used, 0, 0, 0, 4096 - self.heap_used)
        return struct.pack("<IQI", count, self.heap_at, self.heap_index)

    def attribute(self, name, kind, space, content, shared=False):
        text = name.encode() + b"\0"
        return self.message(12, struct.pack("<BBHHH", 2, shared, len(text), len(kind), len(space)) + text + kind +
                            space + content)

    def shared(self, address):
        return bytes([3, 2]) + struct.pack("<Q", address)

    # Types

    def data_type(self):
        """The type of types, which comes first and is described by itself."""
        members = b"name\0\0" + text_type() + b"parameters\0\x10" + bytes([0x39, 0, 0, 0]) + struct.pack("<I", 16)
        self.type_description = bytes([0x36, 2, 0, 0]) + struct.pack("<I", 32) + members + REFERENCE
        self.type_address = len(self.data)
        attribute = self.attribute("julia_type", self.shared(self.type_address), SCALAR, bytes(32), True)
        head = self.header([self.message(3, self.type_description, 0x40), attribute])
        self.add(bytes(len(head)))
        attribute = self.attribute("julia_type", self.shared(self.type_address), SCALAR,
                                   self.heap(b"Core.DataType", 13) + bytes(16), True)
        head = self.header([self.message(3, self.type_description, 0x40), attribute])
        self.data[self.type_address:self.type_address + len(head)] = head
        self.types.append(self.type_address)

    def type_value(self, kind):
        """The 32 bytes that name a type of Julia's."""
        name, parameters = kind
        if name == "Core.Tuple" and len(parameters) > 1 and len(set(parameters)) == 1:
            name, parameters = "NTuple", (len(parameters), parameters[0])
        addresses = [self.parameter(parameter) for parameter in parameters]
        text = name.encode()
        return self.heap(text, len(text)) + self.heap(struct.pack(f"<{len(addresses)}Q", *addresses), len(addresses))

    def parameter(self, parameter):
        is_type = isinstance(parameter, tuple) and not (parameter and isinstance(parameter[0], Symbol))
        if not is_type:
            return self.write(parameter)
        if parameter in self.committed:
            return self.committed[parameter][0]
        key = "type", parameter
        if key not in self.objects:
            self.objects[key] = self.dataset(self.shared(self.type_address), SCALAR, self.type_value(parameter), True)
        return self.objects[key]

    def commit(self, kind, description, attributes=()):
        named = self.attribute("julia_type", self.shared(self.type_address), SCALAR, self.type_value(kind), True)
        address = self.add(self.header([self.message(3, description, 0x40), *attributes, named]))
        self.types.append(address)
        self.committed[kind] = address, description
        return self.committed[kind]

    def has_data(self, value):
        if value is None or isinstance(value, Function):
            return False
        if isinstance(value, (tuple, NamedTuple)) or isinstance(value, Struct) and not value.mutable:
            return any(self.has_data(item) for item in fields_of(value).values())
        return True

    def field(self, value):
        """Description and address of the committed type (0: none) of a field; nothing where it is left out."""
        if not self.has_data(value):
            return None
        if isinstance(value, bool):
            return number_type("b1"), 0
        if isinstance(value, int):
            return number_type("i8"), 0
        if isinstance(value, (float, numpy.floating)):
            return number_type(f"f{numpy.asarray(value).itemsize}"), 0
        if isinstance(value, Symbol):
            address, description = self.symbol()
            return description, address
        if isinstance(value, str):
            return text_type(), 0
        if isinstance(value, (tuple, NamedTuple)) or isinstance(value, Struct) and not value.mutable:
            address, description = self.compound(value)
            if struct.unpack_from("<I", description, 4)[0] <= 1024:
                return description, address
        return REFERENCE, 0

    def symbol(self):
        kind = "Core.Symbol", ()
        return self.committed.get(kind) or self.commit(kind, text_type())

    def empty(self, value):
        kind = type_of(value)
        if kind not in self.committed:
            self.commit(kind, EMPTY, [self.attribute("empty", number_type("u1"), SCALAR, b"\1")])
        return self.committed[kind]

    def compound(self, value):
        kind = type_of(value)
        if kind in self.committed:
            return self.committed[kind]
        names, described, members, size = [], [], [], 0
        for name, item in fields_of(value).items():
            field = self.field(item)
            names.append(name)
            described.append(field[1] if field else self.empty(item)[0])
            if field:
                members.append((name, size, field))
                size += struct.unpack_from("<I", field[0], 4)[0]
        width = 1 if size < 256 else 2 if size < 65536 else 4
        description = bytes([0x36]) + struct.pack("<HBI", len(members), 0, size)
        for name, offset, field in members:
            description += name.encode() + b"\0" + offset.to_bytes(width, "little") + field[0]
        attributes = []
        if self.lists_fields:
            texts = b"".join(self.heap(name.encode(), len(name.encode())) for name in names)
            attributes = [self.attribute("field_names", text_type(), simple([len(names)]), texts),
                          self.attribute("field_types", REFERENCE, simple([len(names)]),
                                         struct.pack(f"<{len(names)}Q", *described))]
        elif any(field[1] for _, _, field in members):
            addresses = [field[1] for _, _, field in members]
            attributes = [self.attribute("field_datatypes", REFERENCE, simple([len(members)]),
                                         struct.pack(f"<{len(members)}Q", *addresses))]
        return self.commit(kind, description, attributes)

    # Values

    def dataset(self, kind, space, content, shared=False):
        if len(content) < 8192:
            layout = bytes([4, 0]) + struct.pack("<H", len(content)) + content
        else:
            layout = bytes([4, 1]) + struct.pack("<QQ", self.add(content), len(content))
        return self.add(self.header([self.message(5, bytes([3, 9])), self.message(1, space),
                                     self.message(3, kind, 3 if shared else 1), self.message(8, layout)]))

    def encode(self, value):
        if isinstance(value, bool):
            return bytes([value])
        if isinstance(value, int):
            return struct.pack("<q", value)
        if isinstance(value, (float, numpy.floating)):
            return numpy.asarray(value).tobytes()
        if isinstance(value, str):
            return self.heap(value.encode(), len(value.encode()))
        inline = isinstance(value, (tuple, NamedTuple)) or isinstance(value, Struct)
        if inline:
            parts = b""
            for item in fields_of(value).values():
                field = self.field(item)
                if field is not None:
                    parts += struct.pack("<Q", self.write(item)) if field[0] == REFERENCE else self.encode(item)
            return parts
        return struct.pack("<Q", self.write(value))

    def write(self, value):
        """The address of the object that holds the value."""
        key = id(value)
        if isinstance(value, (numpy.ndarray, Struct)) and key in self.objects:
            return self.objects[key]
        if isinstance(value, numpy.ndarray):
            address = self.dataset(number_type(f"f{value.itemsize}"), simple(value.shape[::-1]), value.tobytes("F"))
        elif isinstance(value, str) and not isinstance(value, Symbol):
            text = value.encode()
            address = self.dataset(bytes([0x33, 0x11, 0, 0]) + struct.pack("<I", len(text)), SCALAR, text)
        elif not self.has_data(value):
            address = self.dataset(self.shared(self.empty(value)[0]), SCALAR, b"\0", True)
        elif isinstance(value, (tuple, NamedTuple, Struct)):
            content = self.compound(value)[0]
            address = self.dataset(self.shared(content), SCALAR, self.encode(value), True)
        else:
            kind, committed = self.field(value)
            address = self.dataset(self.shared(committed) if committed else kind, SCALAR, self.encode(value),
                                   committed != 0)
        self.objects[key] = address
        self.kept = getattr(self, "kept", []) + [value]  # so that no other value gets its id
        return address

    def group(self, links):
        messages = [self.message(2, bytes([0, 0]) + struct.pack("<QQ", NO_ADDRESS, NO_ADDRESS)),
                    self.message(10, bytes([0, 0]))]
        for name, address in links.items():
            text = name.encode()
            messages.append(self.message(6, bytes([1, 0x10, 1, len(text)]) + text + struct.pack("<Q", address)))
        return self.add(self.header(messages))

    def save(self, path, values):
        links = {name: self.write(value) for name, value in values.items()}
        links["_types"] = self.group({f"{index + 1:08}": address for index, address in enumerate(self.types)})
        root = self.group(links)
        superblock = b"\x89HDF\r\n\x1a\n" + struct.pack("<BBBBQQQQ", 2, 8, 8, 0, BASE, NO_ADDRESS,
                                                        BASE + len(self.data), root)
        self.data[:48] = superblock + struct.pack("<I", lookup3(superblock))
        start = b"HDF5-based Julia Data Format, version 0.1.1\0 (Julia 1.9.4 64-bit LE)\0"
        path.write_bytes(start.ljust(BASE, b"\0") + bytes(self.data))


def write_jld2(path, values, lists_fields=False):
    Jld2Writer(lists_fields).save(path, values)
