namespace TokenFactory.Store;

/// <summary>The store cannot be reached, or cannot take what it was given now; the same call may succeed later.</summary>
public sealed class StoreAwayException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Tables that a newer Token Factory made: this one must not write to them.</summary>
public sealed class StoreTooNewException(string message) : Exception(message);

/// <summary>The store's settings are wrong, or what it needs is not installed; the message ends with what to do.</summary>
public sealed class StoreSetupException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A record breaks a rule of the store (a negative count, a time that runs backwards), so that it will never be taken.</summary>
public sealed class UnfitRecordException(string message, Exception? inner = null) : Exception(message, inner);
