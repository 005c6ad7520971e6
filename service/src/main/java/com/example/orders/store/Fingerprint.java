package com.example.orders.store;

import com.example.orders.model.NewOrder;
import com.example.orders.model.OrderItem;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * A hash of the values of an order. White space and the sequence of fields in the request do not
 * change the hash.
 */
final class Fingerprint {
    private Fingerprint() {}

    static byte[] of(NewOrder order) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            // writeUTF writes the length first, so two different orders never result in the same
            // bytes.
            DataOutputStream out =
                    new DataOutputStream(new DigestOutputStream(OutputStream.nullOutputStream(), digest));
            out.writeUTF(order.customer());
            out.writeUTF(order.currency());
            for (OrderItem item : order.items()) {
                out.writeUTF(item.sku());
                out.writeInt(item.quantity());
                out.writeLong(item.unitPrice());
            }
            out.flush();
            return digest.digest();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
