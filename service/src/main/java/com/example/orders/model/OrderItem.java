package com.example.orders.model;

/**
 * One item of an order. {@code unitPrice} is in minor units of the order's currency (cents for
 * EUR).
 */
public record OrderItem(String sku, int quantity, long unitPrice) {}
